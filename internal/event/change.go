package event

import (
	"cmp"
	"encoding/json"
	"strings"

	"deployer/internal/environment"
)

// The staging labels of Secrets Manager.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

// secretReference begins the names of parameters that stand for secrets.
const secretReference = "/aws/reference/secretsmanager/"

// envFileSuffix is the end of the keys of environment files.
const envFileSuffix = ".env"

// Change is a parameter, a secret or an environment file that changed.
type Change struct {
	Trigger environment.Trigger
	Name    string // the parameter's or the secret's name, or the file's "bucket/key"
	ARN     string
	Label   string // the staging label of the secret that moved to a new version
}

// IsChange reports whether events of a source are about configuration that changed.
func IsChange(source string) bool {
	return source == ParameterSource || source == SecretSource || source == FileSource
}

// String returns what changed, for people.
func (c Change) String() string {
	noun := map[environment.Trigger]string{environment.Parameters: "parameter ", environment.Secrets: "secret ",
		environment.EnvFiles: "environment file "}[c.Trigger]
	return noun + c.Name
}

// change reads an event about configuration that changed. Only AWS sends such events, so
// one that is not as AWS documents it is ignored with a warning.
func (r reader) change() Reading {
	detail, err := object(r.event.Detail)
	var resources []string
	if err != nil || json.Unmarshal(r.event.Resources, &resources) != nil && r.event.Resources != nil {
		return r.unexpected("the event of " + quote(r.event.Source) + " is malformed")
	}
	c := Change{}
	if len(resources) > 0 {
		c.ARN = resources[0]
	}
	other := ""
	switch r.event.Source {
	case ParameterSource:
		other = c.readParameter(detail)
	case SecretSource:
		other = c.readSecret(detail, r.event.DetailType)
	default:
		other = c.readFile(detail)
	}
	var wrong problems
	r.checkTime(maxAhead, &wrong)
	switch {
	case other != "":
		return r.ignored(other)
	case c.Name == "" || !strings.HasPrefix(c.ARN, "arn:"):
		return r.unexpected("the event of " + quote(r.event.Source) + " is malformed: it does not say what changed")
	case r.event.ID == "" || r.event.Time.IsZero():
		return r.unexpected("the event about " + c.String() + ` is malformed: "id" or "time" is missing`)
	case len(wrong) > 0:
		return r.unexpected("the event about " + c.String() + " is malformed: " + wrong.String())
	case !r.env.RedeploysOn(c.Trigger):
		return r.ignored(c.String() + " changed, and deployer.redeploy_on of " + r.env.Name + " does not have " +
			string(c.Trigger))
	case r.env.AccountID != "" && r.event.Account != r.env.AccountID, r.event.Region != r.env.Region:
		return r.ignored(c.String() + " changed in account " + quote(r.event.Account) + " in " + quote(r.event.Region) +
			", and changes elsewhere than in the environment's own account and region are not delivered: " +
			r.env.Name + " is in " + cmp.Or(r.env.AccountID, "its own account") + " in " + r.env.Region)
	}
	return Reading{ID: r.event.ID, Verdict: Changed, Reason: c.String() + " changed", At: r.event.Time, Change: c,
		Claims: Claims{Cause: r.cause()}}
}

// readParameter reads the detail of a Parameter Store Change. It returns why the event is
// ignored, "" if it is not: nothing can run with a parameter before it is created.
func (c *Change) readParameter(detail map[string]json.RawMessage) (other string) {
	c.Trigger = environment.Parameters
	c.Name, _ = text(detail["name"])
	if operation, _ := text(detail["operation"]); operation != "Update" {
		return "the operation on parameter " + quote(c.Name) + " is " + quote(operation) +
			", not an update of its value"
	}
	return ""
}

// readSecret reads the detail of a Secret Label Updated, or of a rotation in CloudTrail.
func (c *Change) readSecret(detail map[string]json.RawMessage, detailType string) (other string) {
	c.Trigger = environment.Secrets
	if detailType == labelUpdated {
		c.Name, _ = text(detail["name"])
		c.Label, _ = text(detail["labelUpdated"])
		return ""
	}
	if name, _ := text(detail["eventName"]); name != "RotationSucceeded" {
		return "the event " + quote(name) + " of Secrets Manager is not the end of a rotation"
	}
	data, _ := object(detail["additionalEventData"])
	c.ARN, _ = text(data["SecretId"])
	if i := strings.Index(c.ARN, ":secret:"); i > 0 && isComplete(c.ARN) {
		c.Name = c.ARN[i+len(":secret:") : len(c.ARN)-suffixLength]
	}
	c.Label = current
	return ""
}

// readFile reads the detail of an Object Created. It returns why the event is ignored, "" if it
// is not: ECS accepts no environment file with another extension (Amazon ECS developer guide,
// "Pass an individual environment variable to an Amazon ECS container").
func (c *Change) readFile(detail map[string]json.RawMessage) (other string) {
	c.Trigger = environment.EnvFiles
	bucket, _ := object(detail["bucket"])
	file, _ := object(detail["object"])
	name, _ := text(bucket["name"])
	key, _ := text(file["key"])
	if name == "" || key == "" || !strings.HasPrefix(c.ARN, "arn:") {
		return ""
	}
	c.Name = name + "/" + key
	if !strings.HasSuffix(key, envFileSuffix) {
		return "object " + quote(c.Name) + " is no environment file, whose name ends in " + envFileSuffix
	}
	c.ARN = strings.Join(strings.SplitN(c.ARN, ":", 3)[:2], ":") + ":s3:::" + c.Name // resources has the bucket's
	return ""
}
