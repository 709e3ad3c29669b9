package event

import (
	"strings"

	"deployer/internal/environment"
)

// suffixLength is the length of what Secrets Manager adds to a secret's name in its ARN: a
// hyphen and six characters.
const suffixLength = 7

// isComplete reports whether Secrets Manager takes the ARN of a secret for a complete one:
// it ends in a hyphen and six characters (Secrets Manager user guide, "Finding a secret from
// a partial ARN").
func isComplete(arn string) bool {
	i := len(arn) - suffixLength
	return i > 0 && arn[i] == '-' && !strings.ContainsAny(arn[i+1:], "-/_+=.@:")
}

// RefersTo reports whether a value in a task definition of the environment refers to exactly
// what changed, so that a task that starts now gets another value than before. Values are
// the `valueFrom` of secrets, and the `value` of environment files. What changed is in the
// environment's account and region, where ECS looks for what is referred to by its name.
func (c Change) RefersTo(env *environment.Environment, value string) bool {
	switch c.Trigger {
	case environment.Parameters:
		return c.isParameter(value)
	case environment.Secrets:
		return c.isSecret(env, value)
	}
	return value == c.ARN
}

// isParameter reports whether a `valueFrom` is the parameter: its name, or its ARN, in which
// the name has no slash before it. With a version or a label after a colon, it refers to a
// value that an update does not change.
func (c Change) isParameter(value string) bool {
	if strings.HasPrefix(value, "arn:") {
		return value == c.ARN
	}
	return value == c.Name
}

// isSecret reports whether a `valueFrom` is the secret, by its ARN with or without JSON key,
// staging label and version id, or by a parameter that stands for it. A version id refers to
// a value that never changes. AWSPREVIOUS moves whenever AWSCURRENT does, without an event of
// its own.
func (c Change) isSecret(env *environment.Environment, value string) bool {
	if name, ok := c.referenced(env, value); ok {
		return name == c.Name && c.Label == current
	}
	const arnFields = 7 // arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME
	fields := strings.Split(value, ":")
	if len(fields) < arnFields {
		return false
	}
	arn, rest := strings.Join(fields[:arnFields], ":"), append(fields[arnFields:], "", "", "")
	label, version := rest[1], rest[2]
	if label == "" {
		label = current
	}
	if version != "" || label != c.Label && (label != previous || c.Label != current) {
		return false
	}
	return arn == c.ARN || !isComplete(arn) && len(c.ARN) == len(arn)+suffixLength && strings.HasPrefix(c.ARN, arn+"-")
}

// referenced returns the name of the secret that a parameter stands for, given by its name
// or its ARN.
func (c Change) referenced(env *environment.Environment, value string) (name string, ok bool) {
	arn, parameter, isARN := strings.Cut(value, ":parameter/")
	if isARN {
		fields := strings.Split(arn, ":") // arn:PARTITION:ssm:REGION:ACCOUNT
		if len(fields) != 5 || fields[3] != env.Region || fields[4] != env.AccountID {
			return "", false
		}
		value = "/" + parameter
	}
	return strings.CutPrefix(value, secretReference)
}
