package event

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"deployer/internal/environment"
)

const (
	// MaxServices is how many workloads one event deploys at most. After the first 20, ECS
	// accepts one registration a second, and the function's timeout is four minutes.
	MaxServices = 50
	// AllWorkloads is the value of "services" that names all workloads whose repository has the tag.
	AllWorkloads = "*"
)

// All returns the workloads that [AllWorkloads] stands for: those that the deployer can
// deploy, with an image from ECR.
func All(env *environment.Environment) (all []environment.Workload) {
	for _, w := range env.Workloads {
		if w.Deployable() && w.Repository != "" {
			all = append(all, w)
		}
	}
	return all
}

// TooMany returns an error text if number is more than [MaxServices], else "". The text
// begins with the given format, which has one %d for the number.
func TooMany(format string, number int) string {
	if number <= MaxServices {
		return ""
	}
	return fmt.Sprintf(format+", and one event deploys at most %d", number, MaxServices)
}

// Named returns the workloads with the given names, as "services" names them, and what is
// wrong with the names: every fault, none if the workloads can be deployed together.
func Named(env *environment.Environment, names []string) (all []environment.Workload, wrong []string) {
	if wrong := TooMany(`"services" has %d names`, len(names)); wrong != "" {
		return nil, []string{wrong + ": send several events"}
	}
	for _, name := range names {
		w, fault := named(env, name)
		if fault == "" && slices.Contains(all, w) {
			fault = `"services" names ` + quote(w.Label()) + " twice"
		}
		if fault != "" {
			wrong = append(wrong, fault)
			continue
		}
		all = append(all, w)
	}
	return all, wrong
}

// named returns the workload with a name in "services", or what is wrong with the name.
func named(env *environment.Environment, name string) (w environment.Workload, wrong string) {
	member, kinds, bare := "service", environment.Services, name
	if task, isTask := strings.CutPrefix(name, environment.TaskPrefix); isTask {
		member, kinds, bare = "task", environment.Tasks, task
	}
	if w, ok := env.Find(bare, kinds...); ok {
		return w, ""
	}
	service, tag, tagged := cutTag(name)
	of, known := env.Find(service, slices.Concat(environment.Services, environment.Tasks)...)
	kindOnly := name == environment.TaskPrefix || name == environment.ServicePrefix
	switch {
	case name == "":
		return w, `"services" has an empty name`
	case kindOnly:
		return w, `"services" has ` + quote(name) + ", without a name"
	case tagged && known:
		return w, `"services" has ` + quote(name) + ": write " + quote(of.Label()) + `; ` + OneTag + tagHint(tag)
	case name == AllWorkloads:
		return w, `"services" has "*" among its names: write "services": "*" for all workloads whose repository has ` +
			`the tag`
	}
	if task, ok := env.Find(name, environment.Tasks...); ok && member == "service" {
		return w, `"services" has ` + quote(name) + ", which is " + task.Noun() + ": write " + quote(task.Label())
	}
	if service, ok := env.Find(bare, environment.Services...); ok && member == "task" {
		return w, `"services" has ` + quote(name) + ", and " + service.Name + " is " + service.Noun() + ": write " +
			quote(service.Name)
	}
	if len(names(name)) > 1 && nearest(env, member, bare) == "" {
		return w, `"services" has ` + quote(name) + ": write " + elements(names(name))
	}
	return w, Unknown(env, member, bare)
}

// cutTag returns a workload's name, with its kind before it if it has that, and the tag that
// people write after it and a colon. It reports whether there is such a colon.
func cutTag(name string) (workload, tag string, ok bool) {
	kind := ""
	for _, prefix := range []string{environment.ServicePrefix, environment.TaskPrefix} {
		if strings.HasPrefix(name, prefix) {
			kind = prefix
		}
	}
	workload, tag, ok = strings.Cut(name[len(kind):], ":")
	return kind + workload, tag, ok
}

// names returns the names in a text that people write for several, with or without brackets and quotes.
func names(text string) []string {
	between := func(r rune) bool { return strings.ContainsRune(`,;[]'"`, r) || unicode.IsSpace(r) }
	return strings.FieldsFunc(text, between)
}

// elements returns names as the elements of an array.
func elements(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strconv.Quote(name)
	}
	return cut(strings.Join(quoted, ", "))
}

// readWorkloads finds the workloads that "services" names.
func (d *detail) readWorkloads() {
	for _, other := range []string{"service", "task"} {
		if d.has(other) {
			d.wrong.add(`both %q and "services" are set: name everything in one of them`, other)
		}
	}
	d.several = true
	value := d.members["services"]
	if s, ok := text(value); ok {
		d.readAll(s)
		return
	}
	var elements []json.RawMessage
	if kind(value) != "an array" || json.Unmarshal(value, &elements) != nil {
		problem := `"services" is %s, not an array of names, or "*"`
		if kind(value) == "an object" {
			problem += "; " + OneTag
		}
		d.wrong.add(problem, kind(value))
		return
	}
	if len(elements) == 0 {
		d.wrong.add(`"services" is empty: name what to deploy`)
		return
	}
	var names []string
	for _, e := range elements {
		name, ok := text(e)
		if !ok {
			problem := `"services" has %s, and each element is a name`
			if kind(e) == "an object" {
				problem += "; " + OneTag
			}
			d.wrong.add(problem, kind(e))
			continue
		}
		names = append(names, name)
	}
	all, wrong := Named(d.env, names)
	d.workloads, d.wrong = all, append(d.wrong, wrong...)
}

// readAll reads "services" where it is a string.
func (d *detail) readAll(s string) {
	trimmed := strings.TrimSpace(s)
	var array []string // nil if the text is none of names
	if json.Unmarshal([]byte(s), &array) != nil {
		array = nil
	}
	switch {
	case s == AllWorkloads:
		d.all = true
		d.workloads = All(d.env)
		if len(d.workloads) == 0 {
			d.wrong.add(`"services" is "*", and no workload of %s that can be deployed has an image in ECR`, d.env.Name)
		}
	case len(names(s)) == 0, array != nil && len(array) == 0:
		d.wrong.add(`"services" is empty: name what to deploy`)
	case meansAll(d.env, trimmed):
		d.wrong.add(`"services" is %s: write "services": "*" for all workloads whose repository has the tag`, quote(s))
	case array != nil:
		d.wrong.add(`"services" is %s, the text of an array: it was encoded twice; write "services": [%s]`, quote(s),
			elements(array))
	default:
		d.wrong.add(`"services" is %s, not an array of names, or "*": write "services": [%s]`, quote(s),
			elements(names(s)))
	}
}

// OneTag is what a message says to do instead of giving each service its own tag.
const OneTag = "one event deploys one tag, so send an event for each tag"

// tagHint returns the tag that a name has after a colon, for a message.
func tagHint(tag string) string {
	if CheckTag(tag) != "" {
		return ""
	}
	return `, with "tag": ` + quote(tag)
}

// meansAll reports whether a name was probably written for all services.
func meansAll(env *environment.Environment, name string) bool {
	known := slices.ContainsFunc(env.Names(slices.Concat(environment.Services, environment.Tasks)...),
		func(one string) bool { return strings.EqualFold(one, name) })
	return !known && (strings.EqualFold(name, "all") || name == "**" || name == AllWorkloads)
}

// severalNames returns what is wrong with a "service" or "task" that is several names, or stands for
// all; "" if it is neither.
func severalNames(env *environment.Environment, member, name string) string {
	if meansAll(env, name) {
		return quote(member) + " is " + quote(name) + `: write "services": "*" for all workloads whose repository ` +
			`has the tag`
	}
	all, known := names(name), false
	for i, one := range all {
		label := one
		if member == "task" && !strings.HasPrefix(one, environment.TaskPrefix) {
			label = environment.TaskPrefix + one
		}
		_, wrong := named(env, label)
		known, all[i] = known || wrong == "", label
	}
	if len(all) < 2 || !known {
		return ""
	}
	return quote(member) + " is " + quote(name) + `: write "services": [` + elements(all) + "]"
}

// cut returns a text that is shortened to fit a log line.
func cut(s string) string {
	const maxLength = 160
	if len(s) > maxLength {
		return strings.ToValidUTF8(s[:maxLength], "") + "…"
	}
	return s
}

// claimedServices returns the names that a member "services" has, as people write them,
// shortened to fit a log line.
func claimedServices(v json.RawMessage) string {
	s, _ := text(v)
	var names []string
	if json.Unmarshal(v, &names) != nil {
		return cut(s)
	}
	return cut(cmp.Or(strings.Join(names, ", "), s))
}
