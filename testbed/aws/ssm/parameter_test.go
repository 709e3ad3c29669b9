//go:build slow

package ssm_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const parameterARN = "arn:aws:ssm:us-east-1:111111111111:parameter/"

// getParameter reads a parameter with the access key id.
func getParameter(t *testing.T, w *emulatortest.Env, key, name string, decrypt bool) (*types.Parameter, error) {
	t.Helper()
	out, err := ssm.NewFromConfig(w.Config(key)).GetParameter(t.Context(), &ssm.GetParameterInput{Name: &name,
		WithDecryption: &decrypt})
	if err != nil {
		return nil, err
	}
	return out.Parameter, nil
}

func TestParameters(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.AWS.PutParameter(dev, "us-east-1", "/deployer/slack", "https://hooks.example/1")
	w.AWS.PutParameter(prod, "us-east-1", "/deployer/prod", "another account's")
	w.AWS.PutParameter(dev, "eu-west-1", "/deployer/far", "another region's")
	w.AWS.PutParameter(dev, "us-east-1", "name", "one")
	w.AWS.PutParameter(dev, "us-east-1", "name", "two")
	tests := []struct {
		name, asked  string
		decrypt      bool
		value, arn   string
		code, reason string
	}{
		{name: "a path", asked: "/deployer/slack", decrypt: true, value: "https://hooks.example/1",
			arn: parameterARN + "deployer/slack"},
		{name: "by its ARN", asked: parameterARN + "deployer/slack", decrypt: true, value: "https://hooks.example/1",
			arn: parameterARN + "deployer/slack"},
		{name: "encrypted", asked: "/deployer/slack", value: "AQICAHEncrypted", arn: parameterARN + "deployer/slack"},
		{name: "a name", asked: "name", decrypt: true, value: "two", arn: parameterARN + "name"},
		{name: "a name by its ARN", asked: parameterARN + "name", decrypt: true, value: "two",
			arn: parameterARN + "name"},
		{name: "none", asked: "/deployer/none", decrypt: true, code: "ParameterNotFound"},
		{name: "another account's", asked: "/deployer/prod", decrypt: true, code: "ParameterNotFound"},
		{name: "another region's", asked: "/deployer/far", decrypt: true, code: "ParameterNotFound"},
		{name: "not a name", asked: "https://hooks.example/1", code: "ValidationException",
			reason: `Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can ` +
				`consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, ` +
				`numbers and the following 3 symbols .-_`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := getParameter(t, w, dev, tt.asked, tt.decrypt)
			if tt.code != "" {
				emulatortest.WantError(t, err, tt.code, tt.reason)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if *got.Value != tt.value || *got.ARN != tt.arn {
				t.Errorf("got %q of %s, want %q of %s", *got.Value, *got.ARN, tt.value, tt.arn)
			}
		})
	}
}

// TestSecrets: a secret can be read as a parameter too, which needs permission of both services.
func TestSecrets(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	secret := w.AWS.PutSecret(dev, "us-east-1", "team/slack", "https://hooks.example/2")
	const reference, none = "/aws/reference/secretsmanager/team/slack", "/aws/reference/secretsmanager/none"
	for _, id := range []string{"team/slack", secret} {
		got, err := secretsmanager.NewFromConfig(w.Config(dev)).GetSecretValue(t.Context(),
			&secretsmanager.GetSecretValueInput{SecretId: &id})
		if err != nil {
			t.Fatal(err)
		}
		if *got.SecretString != "https://hooks.example/2" || *got.ARN != secret {
			t.Errorf("%s: got %q of %s", id, *got.SecretString, *got.ARN)
		}
	}
	_, err := secretsmanager.NewFromConfig(w.Config(dev)).GetSecretValue(t.Context(),
		&secretsmanager.GetSecretValueInput{SecretId: new("none")})
	emulatortest.WantError(t, err, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")

	got, err := getParameter(t, w, dev, reference, true)
	if err != nil {
		t.Fatal(err)
	}
	if *got.Value != "https://hooks.example/2" || *got.Name != reference || got.SourceResult == nil {
		t.Errorf("referred to: %+v", got)
	}
	_, err = getParameter(t, w, dev, reference, false)
	emulatortest.WantError(t, err, "ValidationException", "WithDecryption flag must be True for retrieving a Secret "+
		"Manager secret.")
	_, err = getParameter(t, w, dev, none, true)
	emulatortest.WantError(t, err, "ParameterNotFound", "An error occurred (ParameterNotFound) when referencing "+
		"Secrets Manager: Secret aws/reference/secretsmanager/none not found.")

	const who = "User: arn:aws:sts::111111111111:assumed-role/Deployer/session is not authorized to perform: "
	parameters := emulatortest.Allow("ssm:GetParameter", parameterARN+"aws/reference/secretsmanager/team/slack")
	w.AWS.SetRolePolicy(dev, "Deployer", emulatortest.Policy(t, parameters))
	_, err = getParameter(t, w, dev+"-Deployer", reference, true)
	emulatortest.WantError(t, err, "AccessDeniedException",
		"An error occurred (AccessDeniedException) when referencing Secrets Manager: "+who+
			"secretsmanager:GetSecretValue on resource: "+secret+" because no identity-based policy allows the "+
			"secretsmanager:GetSecretValue action")
	secrets := emulatortest.Allow("secretsmanager:GetSecretValue",
		"arn:aws:secretsmanager:us-east-1:111111111111:secret:team/slack-??????")
	w.AWS.SetRolePolicy(dev, "Deployer", emulatortest.Policy(t, secrets))
	_, err = getParameter(t, w, dev+"-Deployer", reference, true)
	emulatortest.WantError(t, err, "AccessDeniedException", who+"ssm:GetParameter on resource: "+parameterARN+
		"aws/reference/secretsmanager/team/slack because no identity-based policy allows the ssm:GetParameter action")
	w.AWS.SetRolePolicy(dev, "Deployer", emulatortest.Policy(t, parameters), emulatortest.Policy(t, secrets))
	if _, err := getParameter(t, w, dev+"-Deployer", reference, true); err != nil {
		t.Error(err)
	}
}
