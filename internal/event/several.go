package event

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
	kindOnly := name == environment.TaskPrefix || name == environment.ServicePrefix
	service, tag, tagged := strings.Cut(name, ":")
	_, known := env.Find(service, environment.Services...)
	switch {
	case name == "":
		return w, `"services" has an empty name`
	case kindOnly:
		return w, `"services" has ` + quote(name) + ", without a name"
	case tagged && known:
		return w, `"services" has ` + quote(name) + ": write " + quote(service) + `; ` + oneTag + tagHint(tag)
	case name == AllWorkloads:
		return w, `"services" has "*" among its names: write "services": "*" for all workloads whose repository has ` +
			`the tag`
	}
	if task, ok := env.Find(name, environment.Tasks...); ok && member == "service" {
		if _, ok := env.Find(name, environment.Services...); !ok {
			return w, `"services" has ` + quote(name) + ", which is " + task.Noun() + ": write " +
				quote(environment.TaskPrefix+task.Name)
		}
	}
	if service, ok := env.Find(bare, environment.Services...); ok && member == "task" {
		if _, ok := env.Find(bare, environment.Tasks...); !ok {
			return w, `"services" has ` + quote(name) + ", and " + service.Name + " is " + service.Noun() + ": write " +
				quote(service.Name)
		}
	}
	w, ok := env.Find(bare, kinds...)
	switch {
	case !ok && strings.Contains(name, ","):
		return w, `"services" has ` + quote(name) + ": write " + elements(name)
	case !ok:
		return w, Unknown(env, member, bare)
	}
	return w, ""
}

// elements returns a list with commas as the elements of an array.
func elements(list string) string {
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		names = append(names, strconv.Quote(strings.TrimSpace(name)))
	}
	return cut(strings.Join(names, ", "))
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
			problem += "; " + oneTag
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
				problem += "; " + oneTag
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
	switch {
	case s == AllWorkloads:
		d.all = true
		d.workloads = All(d.env)
		if len(d.workloads) == 0 {
			d.wrong.add(`"services" is "*", and no workload of %s that can be deployed has an image in ECR`, d.env.Name)
		}
	case s == "":
		d.wrong.add(`"services" is empty: name what to deploy`)
	case meansAll(d.env, s):
		d.wrong.add(`"services" is %s: write "services": "*" for all workloads whose repository has the tag`, quote(s))
	default:
		d.wrong.add(`"services" is %s, not an array of names, or "*": write "services": [%s]`, quote(s), elements(s))
	}
}

// oneTag is what to do instead of giving each service its own tag.
const oneTag = "one event deploys one tag, so send an event for each tag"

// tagHint returns the tag that a name has after a colon, for a message.
func tagHint(tag string) string {
	if CheckTag(tag) != "" {
		return ""
	}
	return `, with "tag": ` + quote(tag)
}

// meansAll reports whether a name was probably written for all services.
func meansAll(env *environment.Environment, name string) bool {
	_, known := env.Find(name, slices.Concat(environment.Services, environment.Tasks)...)
	return !known && (strings.EqualFold(name, "all") || name == "**" || name == AllWorkloads)
}

// list returns what is wrong with a "service" that is several names, or stands for all; ""
// if it is neither.
func list(env *environment.Environment, name string) string {
	if meansAll(env, name) {
		return `"service" is ` + quote(name) + `: write "services": "*" for all workloads whose repository has the tag`
	}
	names := strings.FieldsFunc(name, func(r rune) bool { return r == ',' || r == ' ' || r == ';' })
	if len(names) < 2 {
		return ""
	}
	for i, one := range names {
		if _, ok := env.Find(one, environment.Services...); !ok {
			return ""
		}
		names[i] = strconv.Quote(one)
	}
	return `"service" is ` + quote(name) + `: write "services": [` + cut(strings.Join(names, ", ")) + "]"
}

// cut returns a text that is shortened to fit a log line.
func cut(s string) string {
	const maxLength = 160
	if len(s) > maxLength {
		return strings.ToValidUTF8(s[:maxLength], "") + "…"
	}
	return s
}

// claimedServices returns the names that a member "services" has, as people write them.
func claimedServices(v json.RawMessage) string {
	s, _ := text(v)
	var names []string
	if json.Unmarshal(v, &names) != nil {
		return s
	}
	return cmp.Or(strings.Join(names, ", "), s)
}
