package iam

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// principal is one value of a Principal element: kind is AWS, Service, Federated or CanonicalUser.
type principal struct {
	kind, value string
}

// principalForms match an account id, and the ARN of a principal.
var principalForms = sync.OnceValue(func() (f struct{ account, arn *regexp.Regexp }) {
	f.account = regexp.MustCompile(`^\d{12}$`)
	f.arn = regexp.MustCompile(
		`^arn:(aws[a-z-]*):(iam|sts)::(\d{12}):((?:root|user/.+|role/.+|assumed-role/.+|federated-user/.+))$`)
	return f
})

func (p principal) matches(r Request) bool {
	switch {
	case p.value == "*":
		return true
	case p.kind != "AWS" || !strings.Contains(p.value, ":root") && !principalForms().account.MatchString(p.value):
		return p.value == r.Principal
	}
	// An account, or its root, is every role and user of the account.
	account := p.value
	if arn := principalForms().arn.FindStringSubmatch(p.value); arn != nil {
		account = arn[3]
	}
	return account == r.Account
}

func parsePrincipals(value any) ([]principal, error) {
	if value == "*" {
		return []principal{{"AWS", "*"}}, nil
	}
	kinds, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New(
			`the Principal must be "*" or an object such as {"AWS": "arn:aws:iam::111111111111:root"}`)
	}
	if len(kinds) == 0 {
		return nil, errors.New("the Principal is empty")
	}
	var principals []principal
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		values, err := parseStrings(kinds[kind])
		if err != nil {
			return nil, fmt.Errorf("the Principal %s %w", kind, err)
		}
		for _, value := range values {
			if err := checkPrincipal(kind, value); err != nil {
				return nil, err
			}
			principals = append(principals, principal{kind, value})
		}
	}
	return principals, nil
}

func checkPrincipal(kind, value string) error {
	switch kind {
	case "AWS":
		if value != "*" && !principalForms().account.MatchString(value) && !principalForms().arn.MatchString(value) {
			return fmt.Errorf(
				"the Principal AWS %q is neither *, a 12-digit account id nor the ARN of an account's root, a role "+
					"or a user", value)
		}
		if value != "*" && strings.ContainsAny(value, "*?") {
			return fmt.Errorf("the Principal AWS %q has a wildcard, which is allowed only alone", value)
		}
	case "Service", "Federated", "CanonicalUser":
	default:
		return fmt.Errorf("unknown kind of Principal %q", kind)
	}
	return nil
}
