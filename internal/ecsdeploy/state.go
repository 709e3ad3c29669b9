package ecsdeploy

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/fault"
)

// raceTime is how long after the winner's registration an event that comes
// late still helps to move the service to it. After that the race is over, and
// what runs instead is what somebody wanted since.
const raceTime = 15 * time.Minute

// State is a service as it was read, and what is known of its family.
type State struct {
	target     Target
	familyName string
	running    revision // the one that the service runs, or is being moved to
	newest     revision // the latest ACTIVE one of the family
	before     string   // ARN of what ran when the service was first read
	rollout    string   // id of the rollout that this deployment began
	primary    string   // id of the rollout that is the service's newest
	warning    string   // what a person should hear of with the result

	// unmoved is the number of the revision that this deployment registered and
	// did not move the service to: ECS will never tell of it. 0 if there is none.
	unmoved int

	revisions map[int]revision // all that were read, by number
	failed    map[string]bool  // ARNs of revisions whose rollout failed, as far as ECS shows it
	back      string           // ECS's words, if the service is being rolled back
	now       time.Time
	unused    bool // the reads of the start are still to be answered from here
}

// newState returns the state of a service and the two revisions that were read with it.
func newState(now time.Time, t Target, service *types.Service, running, newest revision) *State {
	s := &State{target: t, familyName: aws.ToString(running.Family), running: running, newest: newest, before: running.arn(),
		revisions: map[int]revision{}, failed: map[string]bool{}, now: now, unused: true}
	s.learn(running)
	s.learn(newest)
	s.see(service)
	if s.back != "" {
		s.warning = "the service was being rolled back: " + s.back
	}
	return s
}

// learn takes in a revision that was read.
func (s *State) learn(r revision) { s.revisions[int(r.Revision)] = r }

// see takes in what a service's deployments say of their revisions.
func (s *State) see(service *types.Service) {
	s.back, s.primary = "", ""
	for _, d := range service.Deployments {
		if aws.ToString(d.Status) == "PRIMARY" {
			s.primary = aws.ToString(d.Id)
		}
		if d.RolloutState == types.DeploymentRolloutStateFailed {
			s.failed[aws.ToString(d.TaskDefinition)] = true
		}
		if rollingBack(d) {
			s.back = aws.ToString(d.RolloutStateReason)
		}
	}
}

// number returns the number of the revision that the service runs.
func (s *State) number() int { return int(s.running.Revision) }

// arn returns the ARN of a revision of the family.
func (s *State) arn(number int) string {
	known := s.running.arn()
	return fmt.Sprintf("%s:%d", known[:lastColon(known)], number)
}

func lastColon(arn string) int { return strings.LastIndexByte(arn, ':') }

// family shows the rule what is known of a revision.
func (s *State) family(number int) (converge.Revision, bool) {
	r, known := s.revisions[number]
	if !known {
		return converge.Revision{}, number <= 0
	}
	c := converge.Revision{
		Number: number, Image: s.target.identity(r),
		Dead: s.failed[r.arn()] || r.Status == types.TaskDefinitionStatusInactive || r.Status == types.TaskDefinitionStatusDeleteInProgress || tagValue(r.tags, keyOutcome) == string(Failed),
	}
	registered := aws.ToTime(r.RegisteredAt)
	c.Old = s.now.Sub(registered) > raceTime
	if at, err := time.Parse(time.RFC3339Nano, tagValue(r.tags, keyTime)); err == nil {
		c.Event, c.Time = tagValue(r.tags, keyEventID), at.UnixNano()
		c.Base, c.Best = revisionOf(tagValue(r.tags, keyBase)), parseBest(tagValue(r.tags, keyBest))
	}
	if c.Event == "" { // somebody else's; the time of events is cut to seconds, and in doubt the event is later
		c.Time, c.Base, c.Best = registered.Truncate(time.Second).UnixNano()-1, 0, converge.Key{}
	}
	return c, true
}

// request is the order as the rule takes it.
func (s *State) request(o Order) converge.Request {
	return converge.Request{Event: TagValue(o.Cause.ID), Time: o.Cause.Time.UnixNano(), Image: identityOf(o.Image), Force: o.Force}
}

// held is the fault of a push that meets a service which is being rolled back:
// another rollout now would end the rollback with an image that nobody chose.
func (s *State) held(o Order) error {
	return &fault.Outage{Fault: fault.Fault{Name: "RollbackInProgress", Doing: fmt.Sprintf("deploying tag %q to service %q", o.Image.Tag, s.target.Service),
		Err: fmt.Errorf("the service is being rolled back: %s", s.back), Hint: "the push is tried again; a DEPLOY event goes ahead at once"}}
}
