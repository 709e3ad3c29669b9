package event

import (
	"fmt"
	"slices"
	"strings"

	"deployer/internal/environment"
)

// howToDeploy returns the end of a message about an event that was meant to deploy,
// but is not one that this environment accepts: what to send instead.
func (r reader) howToDeploy() string {
	sources := r.env.DeploySources
	if len(sources) == 0 {
		return ", which accepts no DEPLOY events: deployer.deploy_sources is empty"
	}
	source := sources[0]
	if slices.Contains(sources, r.event.Source) {
		source = r.event.Source
	}
	return ", which accepts DEPLOY events from " + strings.Join(sources, ", ") + "; to deploy " + r.env.Name +
		`, send detail-type "DEPLOY", source ` + quote(source) + " and a detail like " + r.sample()
}

// sample returns the detail of a DEPLOY for this environment. It deploys the
// service that the event names, if there is such a service, else the first.
func (r reader) sample() string {
	name := environment.BackendName
	if names := r.env.Names(environment.Services...); len(names) > 0 {
		name = names[0]
	}
	if members, err := object(r.event.Detail); err == nil {
		if service, _ := text(members["service"]); service != "" {
			if w, ok := r.env.Find(service, environment.Services...); ok {
				name = w.Name
			}
		}
	}
	return fmt.Sprintf(`{"project":%q,"service":%q,"tag":"git-abc123f"}`, r.env.Project, name)
}

// meansToDeploy reports whether an event of another detail-type than DEPLOY was
// probably sent to deploy: workflows in the field send SERVICE_DEPLOY, Deploy, or
// DEPLOY's sources with other types. Events of AWS and of the deployer never are.
func (r reader) meansToDeploy() bool {
	source, detailType := r.event.Source, strings.ToLower(r.event.DetailType)
	if strings.HasPrefix(source, "aws.") || source == outcomeSource {
		return false
	}
	return strings.Contains(detailType, "deploy") || slices.Contains(r.env.DeploySources, source) ||
		strings.HasPrefix(source, "action.") || strings.HasPrefix(source, "github.actions.")
}
