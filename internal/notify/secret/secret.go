// Package secret reads a webhook's address from where secrets are kept.
package secret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/fault"
	"deployer/internal/signed"
)

// member is the key that the address stands under in a secret of keys and
// values, which is what the console makes.
const member = "url"

// Webhook returns the source of the address that an SSM parameter holds: alone,
// or as "url" of a JSON object. By a name below /aws/reference/secretsmanager/
// SSM reads a secret of Secrets Manager. The
// parameter is read each time the source is asked; nothing is called before.
// Its errors are faults of package fault, and hold no part of the secret.
func Webhook(config aws.Config, name string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		doing := fmt.Sprintf("reading the webhook from SSM parameter %q", name)
		var out struct{ Parameter struct{ Value string } }
		if err := signed.New(config).JSON(ctx, "ssm", "AmazonSSM.GetParameter", doing, map[string]any{"Name": name, "WithDecryption": true}, &out); err != nil {
			return "", err
		}
		address, wrong := read(out.Parameter.Value)
		if wrong != "" {
			return "", fault.Misconfigured("NoWebhook", doing, errors.New(wrong),
				`put the webhook's address into it, alone or as {"url": "https://hooks.slack.com/services/…"}`)
		}
		return address, nil
	}
}

// read returns the address in a secret's value, or what is wrong with it.
func read(value string) (address, wrong string) {
	value = strings.TrimSpace(value)
	if strings.HasPrefix(value, "{") {
		var members map[string]any
		if json.Unmarshal([]byte(value), &members) != nil {
			return "", "it begins like a JSON object, and is none"
		}
		value, _ = members[member].(string)
		if value == "" {
			return "", fmt.Sprintf("it is a JSON object without a text under %q", member)
		}
	}
	if value == "" {
		return "", "it holds no text"
	}
	return value, ""
}
