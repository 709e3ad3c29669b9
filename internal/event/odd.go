package event

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"deployer/internal/environment"
)

// What senders of the field write instead of a member of a DEPLOY. Unknown members are
// ignored, so each of these would otherwise deploy something else than was meant, or be
// reported as a missing member without the reason.

// instead are the members that senders write for another, by the member that is meant.
// They are compared without case, dashes and underscores.
var instead = map[string][]string{
	"service": {"name", "app", "application", "servicename", "ecsservice", "workload", "component", "microservice",
		"target", "container"},
	"tag": {"image", "imagetag", "imageuri", "version", "release", "sha", "commit", "commitsha", "gitsha", "ref",
		"branch", "dockertag", "containertag", "containerimage", "imageversion", "tagname", "releasetag", "buildtag",
		"newtag", "appversion"},
	"digest":   {"digest", "imagedigest", "sha256"},
	"redeploy": {"forcenewdeployment", "newdeployment", "forcedeployment", "forceredeploy", "restart"},
	"env": {"environment", "envname", "environmentname", "targetenv", "targetenvironment", "deployenv",
		"deployenvironment", "stage", "stagename", "targetstage"},
	"action":  {"operation", "command", "type", "mode"},
	"dry_run": {"preview", "plan", "planonly", "noop", "dry", "simulate", "whatif", "checkonly"},
}

// wrappers are the members in which senders wrap the detail itself.
var wrappers = []string{"detail", "data", "payload", "client_payload", "body", "input", "inputs", "parameters",
	"message", "event", "deploy", "deployment", "request"}

// stages are words for a step of a pipeline, which a member "stage" may name too.
var stages = []string{"deploy", "deployment", "build", "test", "release", "publish", "rollout"}

// plainName returns a member's name without case, dashes and underscores.
func plainName(key string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(key))
}

// writtenFor returns the members of the detail that senders write for another one, in
// the order of the alphabet.
func (d *detail) writtenFor(member string) (keys []string) {
	for _, key := range slices.Sorted(maps.Keys(d.members)) {
		if slices.Contains(instead[member], plainName(key)) {
			keys = append(keys, key)
		}
	}
	return keys
}

// checkOdd adds a problem for members that mean another one than their name says: where
// that one is missing, or where they contradict it.
func (d *detail) checkOdd() {
	if d.checkWrapped() {
		return
	}
	d.suggestService()
	d.suggestTag()
	d.checkEnvironment()
	d.checkImage()
	for _, key := range d.writtenFor("action") {
		value, _ := text(d.members[key])
		if _, set := d.members["action"]; !set && (strings.EqualFold(value, Rollback) ||
			strings.EqualFold(value, Redeploy)) {
			d.wrong.add(`%s is not a member of a DEPLOY: write "action": %s`, quote(key), quote(strings.ToLower(value)))
		}
	}
	if d.rollback && d.has("to") {
		d.wrong.add(`"to" is not a member of a DEPLOY: a rollback by an event is to the previous image whose rollout ` +
			`succeeded; for another revision, run deployer rollback --to`)
	}
	for _, key := range d.writtenFor(Redeploy) {
		if string(d.members[key]) == "true" && !d.has("tag") && !d.rollback && !d.redeploy {
			d.wrong.add(`%s is not a member of a DEPLOY: write "action": "redeploy"`, quote(key))
		}
	}
	for _, key := range []string{Rollback, Redeploy} {
		if string(d.members[key]) == "true" {
			d.wrong.add(`%q is not a member of a DEPLOY: write "action": %q`, key, key)
		}
	}
	for _, key := range d.writtenFor("dry_run") {
		if string(d.members[key]) == "true" {
			d.wrong.add("%s is not a member of a DEPLOY: write \"dry_run\": true, so that the event deploys nothing",
				quote(key))
		}
	}
}

// has reports whether the detail has a member that is not null.
func (d *detail) has(member string) bool {
	v, ok := d.members[member]
	return ok && string(v) != "null"
}

// suggestService adds what to write for the service, if the detail has none, but another
// member names a service.
func (d *detail) suggestService() {
	if d.has("service") || d.has("task") || d.has("services") {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(d.members)) {
		plain := strings.TrimSuffix(plainName(key), "s")
		if kind(d.members[key]) == "an array" && plain != plainName(key) && slices.Contains(instead["service"], plain) {
			d.wrong.add(`%s is not a member of a DEPLOY: write "services"`, quote(key))
		}
	}
	for _, key := range d.writtenFor("service") {
		name, _ := text(d.members[key])
		if w, ok := d.env.Find(name, environment.Services...); ok {
			d.wrong.add(`%s is not a member of a DEPLOY: write "service": %s`, quote(key), quote(w.Name))
		}
	}
}

// suggestTag adds what to write for the tag, if the detail has none, but another member
// has one.
func (d *detail) suggestTag() {
	if d.has("tag") || d.rollback || d.redeploy {
		return
	}
	for _, key := range d.writtenFor("tag") {
		value, _ := text(d.members[key])
		if tag, ok := tagOf(value); ok || CheckTag(value) == "" {
			d.wrong.add(`%s is not a member of a DEPLOY: write "tag": %s`, quote(key), quote(cmp.Or(tag, value)))
		}
	}
	for _, key := range d.writtenFor("digest") {
		d.wrong.add(`%s is not a member of a DEPLOY: it deploys by tag, so write a tag of the image in "tag"`,
			quote(key))
	}
}

// tagOf returns the tag in an image reference, and whether it has one.
func tagOf(reference string) (tag string, ok bool) {
	name, _, _ := strings.Cut(reference[strings.LastIndexByte(reference, '/')+1:], "@")
	_, tag, _ = strings.Cut(name, ":")
	return tag, CheckTag(tag) == ""
}

// checkEnvironment adds a problem for a member such as "environment" that names another
// environment: the event would deploy this one.
func (d *detail) checkEnvironment() {
	if d.has("env") {
		return
	}
	for _, key := range d.writtenFor("env") {
		value, ok := text(d.members[key])
		if strings.Contains(plainName(key), "stage") && slices.Contains(stages, strings.ToLower(value)) {
			continue
		}
		if ok && value != "" && !d.isOwn(value) {
			d.wrong.add(`%s is %s, but the event's source deploys %s: name the environment in "env", and send the `+
				`event `+
				"from its own source", quote(key), quote(value), d.env.Name)
		}
	}
}

// isOwn reports whether people call the environment by a name: by its own, or as its source
// action.NAME does; in any case.
func (d *detail) isOwn(name string) bool {
	bySource := func(source string) bool { return strings.EqualFold(source, "action."+name) }
	return strings.EqualFold(name, d.env.Name) || slices.ContainsFunc(d.env.DeploySources, bySource)
}

// meant returns the end of a message about an event for another project or environment, if
// its name is likely a misspelling of this one.
func meant(member, name, own string) string {
	if !strings.EqualFold(strings.TrimSpace(name), own) {
		return ""
	}
	return "; if it is, write " + quote(member) + ": " + quote(own)
}

// checkImage adds a problem for an image that has another tag than the tag: which of the
// two is meant is not known.
func (d *detail) checkImage() {
	if d.tag == "" {
		return
	}
	for _, key := range d.writtenFor("tag") {
		value, _ := text(d.members[key])
		tag, ok := tagOf(value)
		switch plainName(key) {
		case "imagetag":
			tag, ok = cmp.Or(tag, value), value != ""
		case "image", "imageuri":
		default:
			continue // a version or a commit may be something else than the tag
		}
		if ok && tag != d.tag {
			d.wrong.add(`"tag" is %s, but %s is %s: remove one of them`, quote(d.tag), quote(key), quote(value))
		}
	}
}

// checkWrapped adds a problem if the detail is wrapped in a member of the detail, as an
// object or as its text. It reports whether it is.
func (d *detail) checkWrapped() bool {
	if namesWorkload(d.members) {
		return false
	}
	for _, key := range slices.Sorted(maps.Keys(d.members)) {
		if !slices.Contains(wrappers, strings.ToLower(key)) {
			continue
		}
		inner, encoded := d.members[key], ""
		if s, ok := text(inner); ok {
			inner, encoded = json.RawMessage(s), " as a text"
		}
		members, err := object(inner)
		if err != nil || !namesWorkload(members) {
			continue
		}
		d.wrong.add(`the members of the DEPLOY are in %s%s: they have to be members of "detail" itself`,
			quote(key), encoded)
		return true
	}
	return false
}

// namesWorkload reports whether a detail has a member that names what to deploy.
func namesWorkload(members map[string]json.RawMessage) bool {
	return members["service"] != nil || members["services"] != nil || members["task"] != nil
}

// notAnObject returns what is wrong with a detail that is no JSON object, with what the
// sender probably did.
func notAnObject(raw json.RawMessage, err error) string {
	problem := `"detail" ` + err.Error()
	if s, ok := text(raw); ok {
		if _, err := object([]byte(s)); err == nil {
			return problem + ": the object was encoded twice; encode it once"
		}
	}
	if kind(raw) == "an array" {
		return problem + `: send an event for each, or one event with "services": ["NAME", …] for one tag`
	}
	return problem
}

// oddEnvelope returns what is wrong with an event without source or detail-type, if it
// has what a sender of PutEvents writes.
func oddEnvelope(raw []byte) string {
	members, err := object(raw)
	if err != nil {
		return ""
	}
	for _, key := range []string{"DetailType", "Source", "Detail"} {
		if members[key] != nil {
			return `: it is an entry of PutEvents; EventBridge makes an event of it, with "source", "detail-type" ` +
				`and "detail"`
		}
	}
	for key := range members {
		if plainName(key) == "detailtype" && key != "detail-type" {
			return `: write "detail-type" for ` + quote(key)
		}
	}
	if namesWorkload(members) {
		return `: it is the detail of one; the detail is sent with a source and the detail-type "DEPLOY"`
	}
	return ""
}

// awsName returns the workload that has a name as its name in AWS: the ECS service, the
// task definition family, or the repository; given as such or as an ARN.
func awsName(env *environment.Environment, name string, kinds []environment.Kind) (w environment.Workload,
	what string) {
	last := name[strings.LastIndexAny(name, "/")+1:]
	if i := strings.IndexByte(last, ':'); i > 0 && strings.HasPrefix(name, "arn:") {
		last = last[:i] // the revision of a task definition
	}
	for _, w := range env.Workloads {
		switch {
		case !slices.Contains(kinds, w.Kind):
		case w.HasService() && w.Pointer.Name() == last:
			return w, "the ECS service"
		case w.Family != "" && w.Family == last:
			return w, "the task definition family"
		case w.Repository != "" && (w.Repository == name || w.Repository == last):
			return w, "the repository"
		}
	}
	return environment.Workload{}, ""
}
