// Package compare says what differs between what a service runs in two environments: image,
// environment variables, secrets, limits, roles. Values that may be secret are hidden.
package compare

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
)

// Side is what a service runs in one environment.
type Side struct {
	Environment string `json:"environment"`
	Account     string `json:"account"`
	Region      string `json:"region"`
	Revision    string `json:"task_definition"` // ARN of what it runs, or is being moved to
	Tag         string `json:"tag,omitempty"`
	Digest      string `json:"digest,omitempty"`

	fields []field
	names  names
}

// Difference is a setting that the two sides have differently. A value is nil if the side
// does not have the setting.
type Difference struct {
	What   string     `json:"what"` // such as "cpu", or "environment LOG_LEVEL"
	Values [2]*string `json:"values"`
	Hidden bool       `json:"hidden,omitempty"` // the values are replaced by "hidden"
}

// Hidden stands for a value that may be a secret.
const Hidden = "hidden"

// Read reads what a workload runs in an environment. Its error is a fault of package fault.
func Read(ctx context.Context, config aws.Config, env *environment.Environment, w environment.Workload) (Side, error) {
	target := ecsservice.TargetOf(env, w)
	snapshot, err := ecsservice.New(config).Snapshot(ctx, target)
	if err != nil {
		return Side{}, err
	}
	document, err := ecsdeploy.Document(snapshot.Running)
	if err != nil {
		return Side{}, err
	}
	record := target.Record(snapshot.Running)
	s := Side{Environment: env.Name, Account: env.AccountID, Region: env.Region, Revision: snapshot.Running.ARN(),
		Tag: record.Tag, Digest: record.Digest, names: names{env.Name, env.AccountID, env.Region}}
	app := map[string]bool{}
	if chosen, err := target.Containers(snapshot.Running.TaskDefinition); err == nil {
		for _, i := range chosen {
			app[aws.ToString(snapshot.Running.TaskDefinition.ContainerDefinitions[i].Name)] = true
		}
	}
	s.fields = append(s.fields, field{what: "tag", value: record.Tag},
		field{what: "image", value: cmp.Or(record.Digest, record.Image)})
	s.fields = append(s.fields, serviceFields(snapshot.Service)...)
	more, err := taskFields(document, app, s.names)
	s.fields = append(s.fields, more...)
	return s, err
}

// Sides returns what differs between two sides, in the order of the first. Values that differ
// only in the name, the account or the region of their environments count as the same, unless
// all are asked for; alike is their number. With values, those of environment variables,
// command lines and labels are shown; options that look like secrets never are.
func Sides(a, b Side, all, values bool) (differences []Difference, alike int) {
	left, right, seen := byName(a), byName(b), map[string]bool{}
	for _, f := range slices.Concat(a.fields, b.fields) {
		if seen[f.what] {
			continue
		}
		seen[f.what] = true
		x, inA := left[f.what]
		y, inB := right[f.what]
		d := Difference{What: f.what}
		if inA {
			d.Values[0] = &x.value
		}
		if inB {
			d.Values[1] = &y.value
		}
		both := inA && inB
		if both && x.value == y.value {
			continue
		}
		if both && a.names.Replace(x.value) == b.names.Replace(y.value) {
			if alike++; !all {
				continue
			}
		}
		d.hide(x.secret || y.secret, x.private || y.private, values)
		differences = append(differences, d)
	}
	return differences, alike
}

// byName returns the settings of a side by their names; of two with one name, the last.
func byName(s Side) map[string]field {
	all := map[string]field{}
	for _, f := range s.fields {
		all[f.what] = f
	}
	return all
}

// hide replaces values that are not to be shown.
func (d *Difference) hide(secret, private, values bool) {
	d.Hidden = secret || private && !values
	if !d.Hidden {
		return
	}
	for i, v := range d.Values {
		if v != nil {
			text := Hidden
			d.Values[i] = &text
		}
	}
}

// names are those of an environment, which differ between environments by themselves.
type names struct{ env, account, region string }

// Replace replaces the names in a value, so that values of two environments can be compared.
// The environment's own name counts between characters that are no letters and no digits.
func (n names) Replace(text string) string {
	if n.account != "" {
		text = strings.ReplaceAll(text, n.account, "ACCOUNT")
	}
	if n.region != "" {
		text = strings.ReplaceAll(text, n.region, "REGION")
	}
	var b strings.Builder
	for n.env != "" {
		i := strings.Index(text, n.env)
		if i < 0 {
			break
		}
		end := i + len(n.env)
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[end:])
		if inWord(before) || inWord(after) {
			b.WriteString(text[:end])
		} else {
			b.WriteString(text[:i] + "ENV")
		}
		text = text[end:]
	}
	return b.String() + text
}

func inWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
