package event

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"deployer/internal/environment"
)

// sample returns a sample event.
func sample(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "events", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestChange reads the events about configuration that changed.
func TestChange(t *testing.T) {
	t.Parallel()
	const parameter, secret, file = "parameter-updated", "secret-label-updated", "s3-env-file-created"
	tests := []struct {
		name, sample, old, new string // the sample, with a text replaced
		verdict                Verdict
		want                   string // the reason
	}{
		{"a parameter", parameter, "", "", Changed, "parameter /myproject/prod/database-url changed"},
		{"a parameter was created", "parameter-created", "", "", Ignored,
			`the operation on parameter "/myproject/prod/new" is "Create", not an update of its value`},
		{"a label of a version moved", parameter, `"Update"`, `"LabelParameterVersion"`, Ignored, `the operation on ` +
			`parameter "/myproject/prod/database-url" is "LabelParameterVersion", not an update of its value`},
		{"a parameter was deleted", parameter, `"Update"`, `"Delete"`, Ignored, `the operation on parameter ` +
			`"/myproject/prod/database-url" is "Delete", not an update of its value`},
		{"a secret", secret, "", "", Changed, "secret myproject/prod/api changed"},
		{"a rotation", "secret-rotation-succeeded", "", "", Changed, "secret myproject/prod/api changed"},
		{"a rotation began", "secret-rotation-started", "", "", Ignored,
			`the event "RotationStarted" of Secrets Manager is not the end of a rotation`},
		{"a file", file, "", "", Changed, "environment file myproject-config/prod/backend.env changed"},
		{"another file", "s3-other-file-created", "", "", Ignored, `object ` +
			`"myproject-config/reports/2026-01-22.csv" is no environment file, whose name ends in .env`},
		{"another event of S3", file, `"Object Created"`, `"Object Deleted"`, Ignored,
			`events of type "Object Deleted" from "aws.s3" are not for the deployer`},
		{"no name", parameter, `"name"`, `"nam"`, Ignored,
			`the event of "aws.ssm" is malformed: it does not say what changed`},
		{"no resource", secret, `"arn:aws:secretsmanager:us-east-1:333333333333:secret:myproject/prod/api-a1b2c3"`, "",
			Ignored, `the event of "aws.secretsmanager" is malformed: it does not say what changed`},
		{"no bucket", file, `"arn:aws:s3:::myproject-config"`, `1`, Ignored, `the event of "aws.s3" is malformed`},
		{"no key", file, `"key"`, `"kee"`, Ignored, `the event of "aws.s3" is malformed: it does not say what changed`},
		{"no detail", parameter, `"detail":`, `"details":`, Ignored, `the event of "aws.ssm" is malformed`},
		{"no time", parameter, `"time"`, `"tome"`, Ignored,
			`the event about parameter /myproject/prod/database-url is malformed: "id" or "time" is missing`},
		{"from the future", parameter, `10:15:30Z`, `11:15:30Z`, Ignored, `the event about parameter ` +
			`/myproject/prod/database-url is malformed: "time" is 2026-01-22T11:15:30Z, 55m30s ahead of now; at most ` +
			`5m0s is accepted, because events are ordered by time (check the sender's clock)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := load(t, "prod")
			env.RedeployOn = environment.Triggers
			raw := sample(t, tt.sample)
			if tt.old != "" {
				raw = strings.Replace(raw, tt.old, tt.new, 1)
			}
			got := Read([]byte(raw), env, now)
			if got.Verdict != tt.verdict || got.Reason != tt.want {
				t.Errorf("%s: %s\nwant %s: %s", got.Verdict, got.Reason, tt.verdict, tt.want)
			}
			malformed := strings.Contains(tt.want, "malformed")
			if got.Unexpected != malformed || (got.Verdict == Changed) != (got.Change.ARN != "" && got.ID != "") {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestChangeIsOff checks that nothing is redeployed that the file does not name.
func TestChangeIsOff(t *testing.T) {
	t.Parallel()
	for name, trigger := range map[string]environment.Trigger{"parameter-updated": environment.Parameters,
		"secret-rotation-succeeded": environment.Secrets, "s3-env-file-created": environment.EnvFiles} {
		env := load(t, "prod")
		env.RedeployOn = slices.DeleteFunc(slices.Clone(environment.Triggers),
			func(one environment.Trigger) bool { return one == trigger })
		got := Read([]byte(sample(t, name)), env, now)
		end := " changed, and deployer.redeploy_on of prod does not have " + string(trigger)
		if got.Verdict != Ignored || !strings.HasSuffix(got.Reason, end) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestChangeElsewhere reads changes in another account or region than the environment's, where something else may have
// the same name. The rules do not deliver their events.
func TestChangeElsewhere(t *testing.T) {
	t.Parallel()
	env := load(t, "prod")
	env.RedeployOn = environment.Triggers
	for name, what := range map[string]string{"parameter-updated": "parameter /myproject/prod/database-url",
		"secret-label-updated": "secret myproject/prod/api", "secret-rotation-succeeded": "secret myproject/prod/api",
		"s3-env-file-created": "environment file myproject-config/prod/backend.env"} {
		for _, of := range [][4]string{{"333333333333", "444444444444", "444444444444", "us-east-1"},
			{"us-east-1", "eu-west-1", "333333333333", "eu-west-1"}} {
			got := Read([]byte(strings.ReplaceAll(sample(t, name), of[0], of[1])), env, now)
			want := what + ` changed in account "` + of[2] + `" in "` + of[3] + `", and changes elsewhere than in ` +
				`the environment's own account and region are not delivered: prod is in 333333333333 in us-east-1`
			if got.Verdict != Ignored || got.Unexpected || got.Reason != want {
				t.Errorf("%s: %s, want %s", got.Verdict, got.Reason, want)
			}
		}
	}
}

// TestRefersTo checks which values of task definitions refer to what changed: exactly that, and nothing with a similar
// name.
func TestRefersTo(t *testing.T) {
	t.Parallel()
	const ssm = "arn:aws:ssm:us-east-1:333333333333:parameter/"
	const secrets = "arn:aws:secretsmanager:us-east-1:333333333333:secret:"
	for name, refers := range map[string]map[string]bool{
		"parameter-updated": {
			"/myproject/prod/database-url":                                             true,
			ssm + "myproject/prod/database-url":                                        true,
			"myproject/prod/database-url":                                              false,
			"/myproject/prod/database-url-2":                                           false,
			"/myproject/prod/database":                                                 false,
			"/myproject/prod":                                                          false,
			"/MyProject/prod/database-url":                                             false,
			ssm + "myproject/prod/database-url:3":                                      false,
			"/myproject/prod/database-url:stable":                                      false,
			"arn:aws:ssm:eu-west-1:333333333333:parameter/myproject/prod/database-url": false,
			"arn:aws:ssm:us-east-1:111111111111:parameter/myproject/prod/database-url": false,
			secrets + "/myproject/prod/database-url":                                   false,
			"":                                                                         false,
		},
		"secret-label-updated": {
			secrets + "myproject/prod/api-a1b2c3":                                                          true,
			secrets + "myproject/prod/api":                                                                 true,
			secrets + "myproject/prod/api-a1b2c3:password::":                                               true,
			secrets + "myproject/prod/api-a1b2c3:::":                                                       true,
			secrets + "myproject/prod/api-a1b2c3:password:AWSCURRENT:":                                     true,
			secrets + "myproject/prod/api-a1b2c3:password:AWSPREVIOUS:":                                    true,
			secrets + "myproject/prod/api-a1b2c3:password:blue:":                                           false,
			secrets + "myproject/prod/api-a1b2c3:password::5f1d8f0e":                                       false,
			secrets + "myproject/prod/api-a1b2c3:::5f1d8f0e":                                               false,
			secrets + "myproject/prod/api-x1b2c3":                                                          false,
			secrets + "myproject/prod/api-2-a1b2c3":                                                        false,
			secrets + "myproject/prod/ap":                                                                  false,
			secrets + "myproject/prod/api-":                                                                false,
			"arn:aws:secretsmanager:us-east-1:111111111111:secret:myproject/prod/api-a1b2c3":               false,
			"/aws/reference/secretsmanager/myproject/prod/api":                                             true,
			ssm + "aws/reference/secretsmanager/myproject/prod/api":                                        true,
			"/aws/reference/secretsmanager/myproject/prod/api2":                                            false,
			"arn:aws:ssm:eu-west-1:333333333333:parameter/aws/reference/secretsmanager/myproject/prod/api": false,
			"myproject/prod/api":                                                                           false,
		},
		"secret-rotation-succeeded": {
			secrets + "myproject/prod/api-a1b2c3":                true,
			secrets + "myproject/prod/api":                       true,
			"/aws/reference/secretsmanager/myproject/prod/api":   true,
			secrets + "myproject/prod/api-a1b2c3:password:blue:": false,
		},
		"s3-env-file-created": {
			"arn:aws:s3:::myproject-config/prod/backend.env":     true,
			"arn:aws:s3:::myproject-config/prod/backend.env.old": false,
			"arn:aws:s3:::myproject-config/prod/backend":         false,
			"arn:aws:s3:::myproject-config2/prod/backend.env":    false,
			"arn:aws:s3:::myproject-config/PROD/backend.env":     false,
			"arn:aws:s3:::myproject-config//prod/backend.env":    false,
			"arn:aws-cn:s3:::myproject-config/prod/backend.env":  false,
			"s3://myproject-config/prod/backend.env":             false,
		},
	} {
		env := load(t, "prod")
		env.RedeployOn = environment.Triggers
		got := Read([]byte(sample(t, name)), env, now)
		for value, want := range refers {
			if got.Change.RefersTo(env, value) != want {
				t.Errorf("%s: RefersTo(%q) = %t", name, value, !want)
			}
		}
	}
	env := load(t, "prod")
	env.RedeployOn = environment.Triggers
	blue := Read([]byte(strings.Replace(sample(t, "secret-label-updated"), "AWSCURRENT", "blue", 1)), env, now).Change
	for value, want := range map[string]bool{secrets + "myproject/prod/api-a1b2c3": false,
		secrets + "myproject/prod/api-a1b2c3::blue:": true, secrets + "myproject/prod/api-a1b2c3::AWSPREVIOUS:": false,
		"/aws/reference/secretsmanager/myproject/prod/api": false} {
		if blue.RefersTo(env, value) != want {
			t.Errorf("the label blue: RefersTo(%q) = %t", value, !want)
		}
	}
	// A parameter without a hierarchy has no slash in its name, and one in its ARN.
	flat := Read([]byte(strings.NewReplacer("parameter/myproject/prod/database-url", "parameter/db",
		"/myproject/prod/database-url", "db").Replace(sample(t, "parameter-updated"))), env, now)
	for value, want := range map[string]bool{"db": true, ssm + "db": true, "d": false, ssm + "/db": false} {
		if flat.Change.RefersTo(env, value) != want {
			t.Errorf("a parameter without a slash: RefersTo(%q) = %t", value, !want)
		}
	}
}

// TestRefersToFile checks files whose keys have characters that URLs encode. To EventBridge, S3 sends keys as they are,
// unlike to SNS, SQS and Lambda, so "%20" is a part of the key.
func TestRefersToFile(t *testing.T) {
	t.Parallel()
	env := load(t, "prod")
	env.RedeployOn = environment.Triggers
	const bucket = "arn:aws:s3:::myproject-config/"
	for key, other := range map[string]string{
		"prod/my file+ü.env":  "prod/my+file%2B%C3%BC.env",
		"prod/my%20file.env":  "prod/my file.env",
		"prod/a=b&c(1)@.env":  "prod/a%3Db%26c%281%29%40.env",
		"prod/\"quoted\".env": "prod/quoted.env",
	} {
		raw, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		got := Read([]byte(strings.Replace(sample(t, "s3-env-file-created"), `"prod/backend.env"`, string(raw), 1)),
			env, now)
		for value, want := range map[string]bool{bucket + key: true, bucket + other: false,
			"arn:aws:s3:::another-config/" + key: false} {
			if got.Verdict != Changed || got.Change.RefersTo(env, value) != want {
				t.Errorf("%s: %s: RefersTo(%q) = %t", key, got.Reason, value, !want)
			}
		}
	}
}
