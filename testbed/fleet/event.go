package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"deployer/testbed/accounts"
)

// An Event is an event for the function, and the deployment that it requests.
type Event struct {
	ID      string
	Service int // the index of the service to deploy, NoService if the event requests no deployment
	Time    time.Time
	Tag     string // to deploy
	Image   string // the digest of the image with the tag
	Raw     []byte
}

// NoService is the Service of an event that requests no deployment.
const NoService = -1

// The detail-types of events.
const (
	PushEvent   = "ECR Image Action"
	DeployEvent = "DEPLOY"
)

// A Draft is an event without id and time.
type Draft struct {
	Service                               int    // as in [Event]
	Tag                                   string // as in [Event]
	DetailType, Source, AccountID, Detail string
}

// An EventLog pushes images and collects the events to deliver, in the order of their times.
type EventLog struct {
	services Services
	account  *accounts.Account
	drafts   []Draft
	made     int        // drafts that became events
	versions [][]string // the digests of git-1, git-2, … by service
}

// NewEventLog returns an EventLog without events.
func NewEventLog(s Services, a *accounts.Account) *EventLog {
	return &EventLog{services: s, account: a, versions: make([][]string, s.Count)}
}

// Len returns how many events there are.
func (l *EventLog) Len() int { return len(l.drafts) }

// Versions returns how many versions of service i were pushed.
func (l *EventLog) Versions(i int) int { return len(l.versions[i]) }

// Add adds an event.
func (l *EventLog) Add(d Draft) { l.drafts = append(l.drafts, d) }

// Push pushes the next version of service i under the tags latest and git-N, and adds an event for each.
func (l *EventLog) Push(ctx context.Context, i int) error {
	version := fmt.Sprintf("git-%d", len(l.versions[i])+1)
	digest, err := l.account.Push(ctx, l.services.Repository(i), version, version, "latest")
	if err != nil {
		return err
	}
	l.versions[i] = append(l.versions[i], digest)
	for _, tag := range []string{"latest", version} {
		detail := PushDetail(l.services.Repository(i), tag, digest, "PUSH")
		l.Add(Draft{Service: i, Tag: tag, DetailType: PushEvent, Source: "aws.ecr", AccountID: account, Detail: detail})
	}
	return nil
}

// Deploy adds a DEPLOY event for version n of service i, counted from 1.
func (l *EventLog) Deploy(i, n int) {
	tag := fmt.Sprintf("git-%d", n)
	detail := fmt.Sprintf(`{"service":%q,"tag":%q,"actor":"replay"}`, ServiceName(i), tag)
	l.Add(Draft{
		Service: i, Tag: tag, DetailType: DeployEvent, Source: "action.dev", AccountID: account, Detail: detail,
	})
}

// PushDetail returns the detail of an ECR Image Action event; without a tag if it is "".
func PushDetail(repository, tag, digest, action string) string {
	detail := map[string]string{
		"action-type": action, "result": "SUCCESS", "repository-name": repository, "image-digest": digest,
	}
	if tag != "" {
		detail["image-tag"] = tag
	}
	b, _ := json.Marshal(detail) // strings always encode
	return string(b)
}

// Events returns the events that were added since the last call. Their times are spread evenly over the minute before
// now, to the millisecond.
func (l *EventLog) Events(now time.Time) []Event {
	drafts := l.drafts[l.made:]
	all := make([]Event, len(drafts))
	for i, d := range drafts {
		at := now.Add(-time.Minute + time.Minute*time.Duration(i)/time.Duration(len(drafts)))
		at = at.UTC().Truncate(time.Millisecond)
		e := Event{ID: fmt.Sprintf("event-%05d", l.made+i), Service: d.Service, Time: at, Tag: d.Tag}
		if d.Service != NoService {
			e.Image = l.image(d.Service, d.Tag)
		}
		e.Raw = fmt.Appendf(nil, `{"version":"0","id":%q,"detail-type":%q,"source":%q,"account":%q,"time":%q,`+
			`"region":%q,`+
			`"resources":[],"detail":%s}`,
			e.ID, d.DetailType, d.Source, d.AccountID, at.Format(time.RFC3339Nano), region, d.Detail)
		all[i] = e
	}
	l.made = len(l.drafts)
	return all
}

// image returns the digest that a tag refers to after all pushes, which is when events are delivered.
func (l *EventLog) image(service int, tag string) string {
	versions := l.versions[service]
	n := len(versions)
	if tag != "latest" {
		fmt.Sscanf(tag, "git-%d", &n)
	}
	return versions[n-1]
}
