package event

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// detailKeys are the members of a DEPLOY's detail.
var detailKeys = []string{"service", "task", "tag", "action", "env", "reason", "actor", "dry_run", "force"}

// The actions of a DEPLOY; none is the first.
const (
	actionDeploy = "deploy"
	Rollback     = "rollback"
)

// deploy reads a DEPLOY event. Whether it is meant for this environment is
// asked first: another's event is ignored however wrong it is.
func (r reader) deploy(wrong faults, now time.Time) Reading {
	if !slices.Contains(r.env.DeploySources, r.Source) {
		if strings.HasPrefix(r.Source, actionPrefix) {
			return r.ignored("DEPLOY from " + quote(r.Source) + " is another environment's: " + r.env.Name + " obeys " + strings.Join(r.env.DeploySources, ", "))
		}
		return r.ignored("DEPLOY from " + quote(r.Source) + " is not obeyed: " + r.env.Name + " obeys " + strings.Join(r.env.DeploySources, ", "))
	}
	d := detail{env: r.env, faults: wrong}
	if d.parse(r.Detail); d.target != "" && d.target != r.env.Name {
		return r.ignored("the DEPLOY names environment " + quote(d.target) + ", and this is " + r.env.Name)
	}
	r.ahead(&d.faults, now)
	if len(d.faults) > 0 {
		return r.rejected("the DEPLOY is malformed: " + d.faults.String())
	}
	req := r.request(d.workload, d.tag)
	req.Cause.Reason, req.Cause.Actor = d.reason, d.actor
	req.DryRun, req.Force, req.Rollback = d.dryRun, d.force, d.rollback
	if req.Rollback {
		return Reading{ID: r.ID, Verdict: Accepted, Requests: []Request{req}, Reason: "rollback of " + req.Workload.Name + " from " + r.Source}
	}
	return Reading{ID: r.ID, Verdict: Accepted, Requests: []Request{req},
		Reason: "DEPLOY of " + req.Workload.Name + " with tag " + req.Tag + " from " + r.Source}
}

// detail is a DEPLOY's detail on its way to a request.
type detail struct {
	env    *environment.Environment
	fields map[string]json.RawMessage
	faults

	workload      environment.Workload
	tag, target   string
	reason, actor string
	dryRun, force bool
	rollback      bool
}

// parse reads the detail and notes every fault of it.
func (d *detail) parse(raw json.RawMessage) {
	if raw == nil {
		d.add(`"detail" is missing`)
		return
	}
	if len(raw) > maxDeployDetail {
		d.add(`"detail" is %d bytes long, and a DEPLOY's is at most %d`, len(raw), maxDeployDetail)
		return
	}
	fields, err := object(raw)
	if err != nil {
		d.add(`"detail" %s`, err)
		return
	}
	d.fields = fields
	d.target = d.text("env")
	d.readWorkload()
	d.readAction()
	d.reason, d.actor = d.text("reason"), d.text("actor")
	d.dryRun, d.force = d.flag("dry_run"), d.flag("force")
	d.misspelt()
}

// text returns the string under a key, "" if it is absent or null.
func (d *detail) text(key string) string {
	v, ok := d.fields[key]
	if !ok || string(v) == "null" {
		return ""
	}
	s, ok := text(v)
	if !ok {
		d.add("%q is %s, not a string", key, kind(v))
	}
	return s
}

// flag returns the boolean under a key, false if it is absent or null.
func (d *detail) flag(key string) bool {
	v, ok := d.fields[key]
	var b bool
	if ok && json.Unmarshal(v, &b) != nil {
		d.add("%q is %s, not true or false", key, kind(v))
	}
	return b
}

// readWorkload finds the one workload that the detail names.
func (d *detail) readWorkload() {
	before := len(d.faults)
	service, task := d.text("service"), d.text("task")
	name, word, kinds := service, "service", environment.Services
	if service == "" {
		name, word, kinds = task, "task", environment.Tasks
	}
	switch {
	case len(d.faults) > before: // text has said what is wrong
	case service != "" && task != "":
		d.add(`both "service" (%s) and "task" (%s) are set: one event deploys one of them`, quote(service), quote(task))
	case name == "" && (d.fields["service"] != nil || d.fields["task"] != nil):
		d.add(`"service" is empty: name what to deploy`)
	case name == "":
		d.add(`neither "service" nor "task" is set: name what to deploy`)
	default:
		var ok bool
		if d.workload, ok = d.env.Find(name, kinds...); !ok {
			d.add("%s", Unknown(d.env, word, name))
		}
	}
}

// Unknown says that an environment has no service or task (word) of that name,
// and which it has.
func Unknown(env *environment.Environment, word, name string) string {
	kinds, other, otherWord := environment.Services, environment.Tasks, "task"
	if word == "task" {
		kinds, other, otherWord = environment.Tasks, environment.Services, "service"
	}
	known := env.Names(kinds...)
	s := word + " " + quote(name) + " is not in the " + env.Name + " environment"
	if _, ok := env.Find(name, other...); ok {
		return s + `: it is a ` + otherWord + `, so write "` + otherWord + `" for "` + word + `"`
	}
	if near := environment.Nearest(name, known); near != "" {
		return s + "; did you mean " + quote(near) + "?"
	}
	if len(known) == 0 {
		return s + ", which has no " + word + "s"
	}
	return s + ", which has " + strings.Join(known, ", ")
}

// readAction reads what is asked for, and with it whether there is to be a tag.
func (d *detail) readAction() {
	switch action := d.text("action"); action {
	case "", actionDeploy:
		d.readTag()
	case Rollback:
		d.rollback = true
		if d.text("tag") != "" {
			d.add(`"action" is "rollback", which goes to the last image that succeeded, and "tag" is %s: leave one of them out`, quote(d.text("tag")))
		}
	default:
		d.add(`"action" is %s, and an action is %q or %q`, quote(action), actionDeploy, Rollback)
	}
}

// readTag checks the tag: what is sent by hand and by scripts is often half a tag.
func (d *detail) readTag() {
	before := len(d.faults)
	d.tag = d.text("tag")
	if len(d.faults) > before {
		return
	}
	if d.fields["tag"] == nil {
		d.add(`"tag" is missing`)
		return
	}
	if wrong := CheckTag(d.tag); wrong != "" {
		d.add("%s", wrong)
	}
}

// CheckTag says what is wrong with a tag that somebody asks to deploy, "" if
// nothing is. It refuses more than ECR does: a tag that ends in "-" is the
// mark of a variable that expanded to nothing.
func CheckTag(tag string) string {
	switch {
	case tag == "":
		return "the tag is empty; did a variable expand to nothing?"
	case strings.HasPrefix(tag, "sha256:"):
		return "tag " + quote(tag) + " is a digest; name a tag"
	case strings.ContainsAny(tag, "/:"):
		return "tag " + quote(tag) + ` has a "/" or ":"; name the tag alone, without repository`
	case strings.ContainsAny(tag, "${}"):
		return "tag " + quote(tag) + " holds a variable that was not expanded"
	case !image.ValidTag(tag):
		return "tag " + quote(tag) + " is not an image tag: it has at most 128 letters, digits, dots, dashes and underscores, and begins with a letter, a digit or an underscore"
	case strings.HasSuffix(tag, "-"):
		return "tag " + quote(tag) + ` ends in "-"; did the commit variable expand?`
	case image.IsSignature(tag):
		return "tag " + quote(tag) + " is a signature or attestation, not an image that can run"
	}
	return ""
}

// misspelt notes members that are all but one of ours: "dryrun" must not
// deploy. Others are the sender's own business.
func (d *detail) misspelt() {
	for _, key := range slices.Sorted(maps.Keys(d.fields)) {
		if slices.Contains(detailKeys, key) {
			continue
		}
		plain := strings.ReplaceAll(strings.ToLower(key), "-", "_")
		near := environment.Nearest(plain, detailKeys)
		if slices.Contains(detailKeys, plain) {
			near = plain
		}
		if near != "" {
			d.add("%s is not a member of a DEPLOY; did you mean %q?", quote(key), near)
		}
	}
}
