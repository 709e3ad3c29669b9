package notify

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

// addressSource returns the address of a webhook. It is a secret.
type addressSource func(context.Context) (string, error)

// fixed returns the source of an address that is known.
func fixed(address string) addressSource {
	return func(context.Context) (string, error) { return address, nil }
}

// parameter returns the source of an address in an SSM parameter, which holds it
// alone or as "url" of a JSON object. Parameters below
// /aws/reference/secretsmanager/ are secrets of Secrets Manager, which SSM reads.
// Each call of the source reads the parameter with ssm:GetParameter. Its errors
// are faults of package fault, without any part of the secret.
func parameter(config aws.Config, name string) addressSource {
	return func(ctx context.Context) (string, error) {
		doing := fmt.Sprintf("reading the webhook from SSM parameter %q", name)
		in := map[string]any{"Name": name, "WithDecryption": true}
		var out struct{ Parameter struct{ Value string } }
		if err := signed.New(config).JSON(ctx, "ssm", "AmazonSSM.GetParameter", doing, in, &out); err != nil {
			return "", err
		}
		address, err := addressIn(out.Parameter.Value)
		if err != nil {
			return "", fault.Misconfigured("NoWebhook", doing, err,
				`put the webhook's address into it, alone or as {"url": "https://…"}`)
		}
		return address, nil
	}
}

// addressIn returns the address in the value of a secret. The error quotes
// nothing of the value.
func addressIn(value string) (string, error) {
	value = strings.TrimSpace(value)
	if strings.HasPrefix(value, "{") {
		const key = "url"
		var members map[string]any
		if json.Unmarshal([]byte(value), &members) != nil {
			return "", errors.New("the value starts with { but is not valid JSON")
		}
		value, _ = members[key].(string)
		if value == "" {
			return "", fmt.Errorf("the value is a JSON object without a string under %q", key)
		}
	}
	if value == "" {
		return "", errors.New("the value is empty")
	}
	return value, nil
}
