package event

import (
	"time"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// push reads an ECR Image Action. ECR sends one for every tag that is put, and
// for much that is no deployment; those are ignored with the reason. See
// "Amazon ECR events and EventBridge" in the ECR user guide.
func (r reader) push(wrong faults, now time.Time) Reading {
	fields, err := object(r.Detail)
	if err != nil {
		wrong.add(`"detail" %s`, err)
	}
	var action, result, repository, tag, digest string
	for _, f := range []struct {
		name string
		to   *string
	}{{"action-type", &action}, {"result", &result}, {"repository-name", &repository}, {"image-tag", &tag}, {"image-digest", &digest}} {
		if v, ok := fields[f.name]; ok {
			if *f.to, ok = text(v); !ok {
				wrong.add("%q is %s, not a string", f.name, kind(v))
			}
		}
	}
	switch {
	case len(fields) == 0 || len(wrong) > 0:
		return r.malformedPush(wrong)
	case action != "PUSH":
		return r.ignored("the ECR action is " + quote(action) + ", not a push")
	case result != "SUCCESS":
		return r.ignored("the push to " + quote(repository) + " ended in " + quote(result))
	case tag == "":
		return r.ignored("the push to " + quote(repository) + " has no tag: it is a part of an image, or replaced at once")
	case image.IsSignature(tag):
		return r.ignored("tag " + quote(tag) + " is a signature or attestation, not an image that can run")
	}
	requests, elsewhere := r.users(repository, tag, digest)
	if len(requests) == 0 {
		return r.ignored(elsewhere)
	}
	if !r.env.AutoDeploy.Match(tag) {
		return r.ignored("tag " + quote(tag) + " does not deploy " + r.env.Name + " by itself: " + policy(r.env))
	}
	if r.ahead(&wrong, now); len(wrong) > 0 {
		return r.malformedPush(wrong)
	}
	return Reading{ID: r.ID, Verdict: Accepted, Requests: requests, Reason: "push of tag " + tag + " to " + repository}
}

func (r reader) malformedPush(wrong faults) Reading {
	if len(wrong) == 0 {
		wrong.add(`"detail" is empty`)
	}
	return r.rejected("the ECR event is malformed: " + wrong.String())
}

// users returns one request for each workload that runs images of the pushed
// repository in the event's registry, or the reason why there is none. It
// compares whole names: a pattern would take myproject_service_web for a
// prefix of myproject_service_web-api.
func (r reader) users(repository, tag, digest string) ([]Request, string) {
	at := image.Registry{AccountID: r.Account, Region: r.Region}
	var requests []Request
	var elsewhere string
	for _, w := range r.env.Workloads {
		if w.Repository == "" || w.Repository != repository {
			continue
		}
		if want := w.Registry; want != at {
			elsewhere = "the push to " + quote(repository) + " was to the registry of account " + quote(r.Account) + " in " + quote(r.Region) +
				", and " + r.env.Name + " runs images of " + want.String() + " (" + r.env.Strategy.Name + ": " + r.env.Strategy.Why + ")"
			continue
		}
		req := r.request(w, tag)
		req.Push, req.Digest = true, digest
		requests = append(requests, req)
	}
	if elsewhere == "" {
		elsewhere = "no workload of " + r.env.Project + " runs images of repository " + quote(repository)
	}
	return requests, elsewhere
}

// policy says which tags deploy an environment when they are pushed.
func policy(env *environment.Environment) string {
	if env.AutoDeploy.IsEmpty() {
		return "no push does, only a DEPLOY event"
	}
	return "only " + env.AutoDeploy.String() + " does"
}
