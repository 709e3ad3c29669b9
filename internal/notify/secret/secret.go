// Package secret reads a webhook's address from AWS Secrets Manager.
package secret

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"deployer/internal/fault"
)

// member is the key that the address stands under in a secret of keys and
// values, which is what the console makes.
const member = "url"

// Webhook returns the source of the address that the secret with a name or an
// ARN holds: alone, or as "url" of a JSON object. The secret is read each time
// the source is asked; nothing is called before. Its errors are faults of
// package fault, and hold no part of the secret.
func Webhook(config aws.Config, id string) func(context.Context) (string, error) {
	client := sync.OnceValue(func() *secretsmanager.Client { return secretsmanager.NewFromConfig(config) })
	return func(ctx context.Context) (string, error) {
		doing := fmt.Sprintf("reading the webhook from secret %q", id)
		out, err := client().GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(id)},
			func(o *secretsmanager.Options) { o.Retryer = fault.Within(ctx) })
		if err != nil {
			return "", fault.Of(doing, err)
		}
		address, wrong := read(aws.ToString(out.SecretString))
		if wrong != "" {
			return "", &fault.Misconfiguration{Fault: fault.Fault{Name: "NoWebhook", Doing: doing, Err: fmt.Errorf("%s", wrong),
				Hint: `put the webhook's address into the secret, alone or as {"url": "https://hooks.slack.com/services/…"}`}}
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
