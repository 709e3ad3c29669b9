package event

import (
	"slices"
	"strings"
	"time"

	"deployer/internal/environment"
)

// Claims are what a rejected or ignored event states about itself, as far as it can be
// read. Nothing in them is checked.
type Claims struct {
	Cause        Cause
	Service, Tag string // of an ignored event of AWS: labels of workloads, with commas between them
	Repository   string // of a push or a replication that is ignored
}

// claims returns what the event states about itself, as far as it can be read.
func (r reader) claims() Claims {
	claims := Claims{Cause: r.cause()}
	claims.Cause.Time = r.claimedTime()
	detail, _ := object(r.event.Detail)
	claims.Service = claimedServices(detail["services"])
	for _, f := range []struct {
		key string
		to  *string
	}{
		{"task", &claims.Service}, {"service", &claims.Service}, {"image-tag", &claims.Tag}, {"tag", &claims.Tag},
		{"actor", &claims.Cause.Actor}, {"reason", &claims.Cause.Reason},
	} {
		if v, ok := text(detail[f.key]); ok && v != "" {
			if f.key == "task" && !strings.HasPrefix(v, environment.TaskPrefix) {
				v = environment.TaskPrefix + v // a service may have the same name
			}
			*f.to = v
		}
	}
	return claims
}

// ignoredClaims returns what an ignored event is about: the function's log has it, so that
// it can be found. The services of AWS's events are the environment's own.
func (r reader) ignoredClaims() Claims {
	claims := r.claims()
	detail, _ := object(r.event.Detail)
	var labels []string
	switch r.event.Source {
	case ECRSource:
		claims.Repository, _ = text(detail["repository-name"])
		for _, w := range slices.Concat(r.env.Workloads, r.env.Disabled) {
			if w.Repository != "" && w.Repository == claims.Repository {
				labels = append(labels, w.Label())
			}
		}
	case ecsSource:
		service, _ := text(detail["serviceArn"]) // of a hook
		if r.event.DetailType != hookChange {
			service = r.onlyResource()
		}
		if w, unknown := r.workloadWithARN(service); unknown == "" {
			labels = append(labels, w.Label())
		}
	default:
		return claims
	}
	claims.Service = strings.Join(labels, ", ")
	return claims
}

// ClaimsOf returns what an event of any kind states about itself, for people who decide
// about it. The service of a push is its repository. Nothing in it is checked.
func ClaimsOf(raw []byte, now time.Time) Claims {
	e, _ := parseEnvelope(raw)
	if e == nil {
		return Claims{}
	}
	claims := reader{event: e, now: now}.claims()
	if detail, err := object(e.Detail); err == nil && claims.Service == "" {
		claims.Service, _ = text(detail["repository-name"]) // of a push
		if claims.Service == "" {
			claims.Service, _ = text(detail["name"]) // of a parameter or a secret
		}
	}
	return claims
}
