package event

import (
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// push reads an ECR Image Action or an ECR Replication Action event. ECR sends the
// first for every tag that is put, and for deletions and the parts of
// multi-platform images too. For a tag that it replicated, it sends only the
// second, in the account and region of the copy. See "Amazon ECR events and
// EventBridge" in the ECR user guide.
func (r reader) push(wrong problems) Reading {
	replicated := r.event.DetailType == ECRReplication
	wanted, noun := "PUSH", "push"
	if replicated {
		wanted, noun = "REPLICATE", "replication"
	}
	d := readPushDetail(r.event.Detail, &wrong)
	switch {
	case len(wrong) > 0:
		return r.malformedPush(wrong)
	case d.action != wanted:
		return r.ignored("the ECR action is " + quote(d.action) + ", not a " + noun)
	case d.result != "SUCCESS":
		return r.ignored("the " + noun + " to " + quote(d.repository) + " has the result " + quote(d.result))
	case d.tag == "":
		return r.ignored("the " + noun + " to " + quote(d.repository) +
			" has no tag: it is part of an image, or its tag was replaced at once")
	case image.IsSignature(d.tag):
		return r.ignored("tag " + quote(d.tag) + " is a signature or attestation, not an image that can run")
	}
	all, reason := r.workloadsOf(noun, d.repository)
	if len(all) == 0 {
		return r.ignored(reason)
	}
	if !r.env.AutoDeploy.Match(d.tag) {
		return r.ignored("tag " + quote(d.tag) + " does not deploy " + r.env.Name + ": " + policy(r.env))
	}
	r.checkTime(maxAhead, &wrong)
	if len(wrong) > 0 {
		return r.malformedPush(wrong)
	}
	workloads, reason := deployedByPush(all)
	if len(workloads) == 0 {
		return r.ignored("no push deploys " + reason + "; send a DEPLOY event with " + naming(all))
	}
	var requests []Request
	for _, w := range workloads {
		request := r.request(w, d.tag)
		request.Push, request.Digest = true, d.digest
		request.Replicated = request.Replicated || replicated
		requests = append(requests, request)
	}
	reason = noun + " of tag " + d.tag + " to " + d.repository
	if d.fromAccount != "" && d.fromRegion != "" {
		reason += " from the registry of account " + d.fromAccount + " in " + d.fromRegion
	}
	return r.accepted(reason, requests...)
}

// pushDetail is the detail of an ECR event. A member that the event does not have is "".
type pushDetail struct {
	action, result, repository, tag, digest string
	fromAccount, fromRegion                 string // of a replication
}

// readPushDetail reads the detail of an ECR event, and adds to wrong what is malformed.
func readPushDetail(raw []byte, wrong *problems) (d pushDetail) {
	detail, err := object(raw)
	if err != nil {
		wrong.add(`"detail" %s`, err)
		return d
	}
	if len(detail) == 0 {
		wrong.add(`"detail" is empty`)
	}
	for _, f := range []struct {
		name string
		to   *string
	}{
		{"action-type", &d.action}, {"result", &d.result}, {"repository-name", &d.repository},
		{"image-tag", &d.tag}, {"image-digest", &d.digest}, {"source-account", &d.fromAccount},
		{"source-region", &d.fromRegion},
	} {
		if v, ok := detail[f.name]; ok && string(v) != "null" {
			if *f.to, ok = text(v); !ok {
				wrong.add("%q is %s, not a string", f.name, kind(v))
			}
		}
	}
	return d
}

// malformedPush ignores an event that is not as AWS documents it: only AWS can send
// events of its source, so there is no sender to report a fault to. The search for lost
// pushes finds the image.
func (r reader) malformedPush(wrong problems) Reading {
	return r.unexpected("the ECR event is malformed: " + wrong.String())
}

// workloadsOf returns the workloads that run images of a repository in the
// event's registry, or the reason why there is none. It compares whole names,
// because myproject_service_web is a prefix of myproject_service_web-api.
func (r reader) workloadsOf(noun, repository string) (workloads []environment.Workload, reason string) {
	pushedTo := image.Registry{AccountID: r.event.Account, Region: r.event.Region}
	reason = "no workload of " + r.env.Project + " runs images of repository " + quote(repository)
	for _, w := range r.env.Disabled {
		if w.Repository == repository && w.Registry == pushedTo {
			reason = "the push to " + quote(repository) + " is for " + w.Name + ", which is disabled (" + w.Disabled +
				")"
		}
	}
	for _, w := range r.env.Workloads {
		switch {
		case w.Repository == "" || w.Repository != repository:
		case w.Registry != pushedTo:
			reason = "the " + noun + " to " + quote(repository) + " was to the registry of account " +
				quote(r.event.Account) +
				" in " + quote(r.event.Region) + "; " + r.env.Name + " runs images from " + w.Registry.String() + " (" +
				w.RegistryReason + ")"
		default:
			workloads = append(workloads, w)
		}
	}
	return workloads, reason
}

// deployedByPush returns the workloads that a push may deploy or, if there are none, the reason.
func deployedByPush(all []environment.Workload) (may []environment.Workload, reason string) {
	var not []string
	for _, w := range all {
		if w.OptOut == "" {
			may = append(may, w)
		} else {
			not = append(not, w.Label()+" ("+w.OptOut+")")
		}
	}
	return may, strings.Join(not, ", ")
}

// naming returns the member of a DEPLOY that names workloads.
func naming(all []environment.Workload) string {
	if len(all) == 1 && all[0].HasService() {
		return `"service": ` + quote(all[0].Name)
	}
	if len(all) == 1 {
		return `"task": ` + quote(all[0].Name)
	}
	labels := make([]string, len(all))
	for i, w := range all {
		labels[i] = quote(w.Label())
	}
	return `"services": [` + strings.Join(labels, ", ") + "]"
}

// policy states which tags deploy an environment when they are pushed.
func policy(env *environment.Environment) string {
	if env.AutoDeploy.IsEmpty() {
		return "auto_deploy is empty, so no push does; send a DEPLOY event"
	}
	return "auto_deploy has only " + env.AutoDeploy.String()
}
