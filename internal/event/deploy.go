package event

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"deployer/internal/environment"
)

// deployMembers are the members of a DEPLOY's detail.
var deployMembers = []string{"service", "services", "task", "tag", "action", "project", "env", "reason", "actor",
	"dry_run", "force"}

// The actions of a DEPLOY; without one it deploys.
const (
	actionDeploy = "deploy"
	Rollback     = "rollback"
	Redeploy     = "redeploy"
)

// deploy reads a DEPLOY event. It checks first whether the event is for this
// project and environment: an event for another is ignored, however invalid it is.
func (r reader) deploy(wrong problems) Reading {
	source := r.event.Source
	if !slices.Contains(r.env.DeploySources, source) {
		return r.ignored("DEPLOY from " + quote(source) + " is not for " + r.env.Name + r.howToDeploy())
	}
	d := detail{env: r.env, wrong: wrong}
	d.parse(r.event.Detail)
	if d.project != "" && d.project != r.env.Project {
		return r.ignored("the DEPLOY is for project " + quote(d.project) + ", not for " + r.env.Project +
			meant("project", d.project, r.env.Project))
	}
	if d.target != "" && d.target != r.env.Name {
		likely := d.target
		if d.isOwn(d.target) { // such as "production", of the source action.production
			likely = r.env.Name
		}
		return r.ignored("the DEPLOY is for environment " + quote(d.target) + ", not for " + r.env.Name +
			meant("env", likely, r.env.Name))
	}
	if project := d.members["project"]; project != nil && !delivers(r.env.Project, project) {
		return r.ignored(`the DEPLOY's "project" is ` + kind(project) + `, and the rule of the stack never delivers ` +
			`it; write "project": ` + quote(r.env.Project))
	}
	r.checkTime(maxAhead, &d.wrong)
	if len(d.wrong) > 0 {
		return r.rejected("the DEPLOY is malformed: " + d.wrong.String())
	}
	var requests []Request
	for _, w := range d.workloads {
		request := r.request(w, d.tag)
		request.Cause.Reason, request.Cause.Actor = d.reason, d.actor
		request.DryRun, request.Force = d.dryRun, d.force
		request.Rollback, request.Redeploy = d.rollback, d.redeploy
		request.Replicated = request.Replicated && request.Tag != "" // the others' images were there before
		request.Together, request.Optional = d.several, d.all
		requests = append(requests, request)
	}
	return r.accepted(d.asks()+" from "+source, requests...)
}

// asks returns what the DEPLOY asks for.
func (d *detail) asks() string {
	names := make([]string, len(d.workloads))
	for i, w := range d.workloads {
		names[i] = w.Label()
	}
	what := strings.Join(names, ", ")
	switch {
	case d.all && d.tag != "":
		return "DEPLOY of all workloads whose repository has the tag " + d.tag
	case d.redeploy:
		return "redeployment of " + what
	case d.rollback:
		return "rollback of " + what
	}
	return "DEPLOY of " + what + " with tag " + d.tag
}

// detail is the detail of a DEPLOY.
type detail struct {
	env     *environment.Environment
	members map[string]json.RawMessage
	wrong   problems

	workloads       []environment.Workload
	several, all    bool   // "services" names the workloads; it names all
	project, target string // the project and the environment that it is for; "" if it does not say
	tag             string
	reason, actor   string
	dryRun, force   bool
	rollback        bool
	redeploy        bool
}

// parse reads the detail and collects every problem.
func (d *detail) parse(raw json.RawMessage) {
	if raw == nil {
		d.wrong.add(`"detail" is missing`)
		return
	}
	if len(raw) > maxDeployDetail {
		d.wrong.add(`"detail" has %d bytes; that of a DEPLOY may have at most %d`, len(raw), maxDeployDetail)
		return
	}
	members, err := object(raw)
	if err != nil {
		d.wrong.add("%s", notAnObject(raw, err))
		return
	}
	d.members = members
	d.readProject()
	d.target = d.text("env")
	if d.has("services") {
		d.readWorkloads()
	} else {
		d.readWorkload()
	}
	d.readAction()
	d.reason, d.actor = d.text("reason"), d.text("actor")
	d.dryRun, d.force = d.flag("dry_run"), d.flag("force")
	d.checkSpelling()
	d.checkOdd()
}

// text returns the string under a key, "" if it is absent or null.
func (d *detail) text(key string) string {
	v, ok := d.members[key]
	if !ok || string(v) == "null" {
		return ""
	}
	s, ok := text(v)
	switch {
	case ok:
	case kind(v) == "an array" && key == "service":
		d.wrong.add(`"service" is an array, not a string: write "services" for "service"`)
	case kind(v) == "an array" && key == "task":
		d.wrong.add(`"task" is an array, not a string: write "services": ["task:NAME", …]`)
	case kind(v) == "an array" && key == "tag":
		d.wrong.add(`"tag" is an array, not a string: %s`, OneTag)
	case kind(v) == "a number":
		d.wrong.add("%q is a number, not a string: write it in quotes", key)
	default:
		d.wrong.add("%q is %s, not a string", key, kind(v))
	}
	return s
}

// flag returns the boolean under a key, false if it is absent or null.
func (d *detail) flag(key string) bool {
	v, ok := d.members[key]
	var b bool
	if ok && json.Unmarshal(v, &b) != nil {
		problem := "%q is %s, not true or false"
		if s, ok := text(v); ok && (strings.EqualFold(s, "true") || strings.EqualFold(s, "false")) {
			problem += ": write it without quotes"
		}
		d.wrong.add(problem, key, kind(v))
	}
	return b
}

// readProject reads the project. Unlike other members it must not be empty: the
// event would deploy every project that accepts its source.
func (d *detail) readProject() {
	d.project = d.text("project")
	if string(d.members["project"]) == `""` {
		d.wrong.add(`"project" is empty; did a variable expand to nothing?`)
	}
}

// readWorkload finds the workload that the detail names.
func (d *detail) readWorkload() {
	before := len(d.wrong)
	service, task := d.text("service"), d.text("task")
	name, member, kinds := service, "service", environment.Services
	if service == "" {
		name, member, kinds = task, "task", environment.Tasks
	}
	if strings.HasPrefix(service, environment.TaskPrefix) { // "service": "task:NAME" names a task too
		name, member, kinds = strings.TrimPrefix(service, environment.TaskPrefix), "task", environment.Tasks
	}
	wrongKind := wrongKind(d.env, cmp.Or(service, task))
	switch {
	case len(d.wrong) > before: // text has added the problem
	case service != "" && task != "":
		d.wrong.add(`both "service" (%s) and "task" (%s) are set: one event deploys one of them`, quote(service),
			quote(task))
	case wrongKind != "" && service != "":
		d.wrong.add(`"service" is %s, %s`, quote(service), wrongKind)
	case wrongKind != "":
		d.wrong.add(`"task" is %s, %s`, quote(task), wrongKind)
	case name == "" && d.members["service"] == nil && d.members["task"] != nil:
		d.wrong.add(`"task" is empty: name what to deploy`)
	case name == "" && d.members["service"] != nil:
		d.wrong.add(`"service" is empty: name what to deploy`)
	case name == "":
		d.wrong.add(`neither "service" nor "task" is set: name what to deploy`)
	default:
		w, ok := d.env.Find(name, kinds...)
		if !ok {
			d.addUnknown(member, name, kinds)
		}
		d.workloads = []environment.Workload{w}
	}
}

// addUnknown adds the problem of a name that no workload of the kinds has.
func (d *detail) addUnknown(member, name string, kinds []environment.Kind) {
	bare, tag, tagged := cutTag(name)
	w, known := d.env.Find(bare, kinds...)
	if known && member == "service" {
		bare = w.Label()
	}
	tagged = tagged && known
	several := severalNames(d.env, member, name)
	switch {
	case several != "":
		d.wrong.add("%s", several)
	case tagged && !d.has("tag"):
		d.wrong.add(`%q is %s: write %q: %s%s`, member, quote(name), member, quote(bare), tagHint(tag))
	case tagged:
		d.wrong.add(`%q is %s: write %q: %s; the event names the image in "tag" alone`, member, quote(name), member,
			quote(bare))
	default:
		d.wrong.add("%s", Unknown(d.env, member, name))
	}
}

// readAction reads the action, and the tag if the action needs one.
func (d *detail) readAction() {
	switch action := d.text("action"); action {
	case "", actionDeploy:
		d.readTag()
	case Rollback, Redeploy:
		d.rollback, d.redeploy = action == Rollback, action == Redeploy
		if d.rollback && d.all {
			d.wrong.add(`"action" is "rollback", and "services" is "*": name the services, because each is rolled ` +
				`back to its own previous image`)
		}
		const many = `"services" is "*", for which %d workloads can be redeployed`
		if wrong := TooMany(many, len(d.workloads)); d.redeploy && d.all && wrong != "" {
			d.wrong.add("%s: name them, in several events", wrong)
		}
		if tag := d.text("tag"); tag != "" {
			d.wrong.add(`"action" is %q, which chooses the image itself, and "tag" is %s: remove one of them`, action,
				quote(tag))
		}
	default:
		d.wrong.add(`"action" is %s, not %q, %q or %q`, quote(action), actionDeploy, Rollback, Redeploy)
	}
}

// readTag reads the tag and checks it.
func (d *detail) readTag() {
	before := len(d.wrong)
	d.tag = d.text("tag")
	if len(d.wrong) > before {
		return
	}
	if v, ok := d.members["tag"]; !ok || string(v) == "null" {
		d.wrong.add(`"tag" is missing: name the tag of the image to deploy, like "tag": "git-abc123f", or send ` +
			`"action": "redeploy" for the image that runs with the family's newest configuration, or ` +
			`"action": "rollback" for the previous image whose rollout succeeded`)
		return
	}
	if problem := CheckTag(d.tag); problem != "" {
		d.wrong.add("%s", problem)
	}
}

// checkSpelling adds a problem for members that are a member of a DEPLOY but for
// one letter, or for case and dashes: "dryrun" must not deploy. Other unknown
// members are ignored.
func (d *detail) checkSpelling() {
	for _, key := range slices.Sorted(maps.Keys(d.members)) {
		if slices.Contains(deployMembers, key) {
			continue
		}
		plain := strings.ReplaceAll(strings.ToLower(key), "-", "_")
		near := environment.Nearest(plain, deployMembers)
		if slices.Contains(deployMembers, plain) {
			near = plain
		}
		switch {
		case plain == "tasks" && kind(d.members[key]) == "an array":
			d.wrong.add(`%s is not a member of a DEPLOY: write "services": ["task:NAME", …]`, quote(key))
		case near != "":
			d.wrong.add("%s is not a member of a DEPLOY; did you mean %q?", quote(key), near)
		}
	}
}
