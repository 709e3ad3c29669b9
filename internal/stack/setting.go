package stack

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// SettingError is a setting NAME=VALUE that the stack does not have, or whose value the
// template refuses.
type SettingError struct {
	what  string
	Given string   // the setting, if its name is none of Names
	Names []string // that settings may have
}

func (e *SettingError) Error() string { return e.what }

// form is what the template accepts as a parameter's value.
type form struct {
	values  []string // the only values; nil for those of the pattern
	pattern string   // of the whole value, or of each element of a list
	list    bool
}

// forms are those of the chosen parameters, as the template has them.
var forms = map[string]form{
	"SenderAccounts":   {pattern: `([0-9]{12})?`, list: true},
	"ReconcileMinutes": {values: []string{"0", "5", "10", "15", "30", "60"}},
	"FollowFirstRuns":  {values: []string{"true", "false"}},
	"ForwardPushesTo": {pattern: `(arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9._/-]+` +
		`(,arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9._/-]+){0,14})?`},
	"ExtraRoleArns":       {pattern: `(arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+)?`, list: true},
	"KmsKeyArns":          {pattern: `(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?`, list: true},
	"ReservedConcurrency": {pattern: `(0|[1-9][0-9]{0,3})?`},
	"AlarmTopicArn":       {pattern: `(arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+)?`},
}

// checkSettings returns a [SettingError] for the first value that the template refuses.
func checkSettings(settings []Parameter) error {
	for _, p := range settings {
		f := forms[p.Name]
		if f.values != nil {
			if !slices.Contains(f.values, p.Value) {
				return &SettingError{what: fmt.Sprintf("%s=%s: the template accepts only %s", p.Name, p.Value,
					strings.Join(f.values, ", "))}
			}
			continue
		}
		values := []string{p.Value}
		if f.list {
			values = strings.Split(p.Value, ",")
		}
		whole := regexp.MustCompile(`^(?:` + f.pattern + `)$`)
		for _, value := range values {
			if !whole.MatchString(value) {
				return &SettingError{what: fmt.Sprintf("%s=%s: the template accepts only what matches %s, and %q "+
					"does not", p.Name, p.Value, f.pattern, value)}
			}
		}
	}
	return nil
}
