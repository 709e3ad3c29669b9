package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/image"
	"deployer/internal/journal"
	"deployer/internal/resolve"
	"deployer/internal/rollout"
)

// maxLookups is how many tags are looked up at a time.
const maxLookups = 8

// drift is how what a service runs differs from what its next deployment would find.
type drift struct {
	Newest    *journal.Record `json:"newest,omitempty"`     // the family's newest revision, if that is not what runs
	SameImage bool            `json:"same_image,omitempty"` // the newest revision's image runs too
	Tag       tagDrift        `json:"tag"`
}

// tagDrift is whether the tag that runs is still on the image that runs.
type tagDrift struct {
	State  string `json:"state"`            // "none", "moved", "gone" or "unknown"
	Digest string `json:"digest,omitempty"` // of the image that the tag is on now, if it has moved
	Reason string `json:"reason,omitempty"` // why it is unknown
}

// cell returns the drift as one field.
func (d *drift) cell() cell {
	var all []string
	in := plain
	if n := d.Newest; n != nil {
		what := "revision " + fmt.Sprint(n.Revision)
		switch {
		case n.Outcome == journal.Failed:
			what += " failed"
		case d.SameImage:
			what += " is newer, with the same image"
		case n.Tag != "":
			what += " is newer, with " + n.Tag
		default:
			what += " is newer"
		}
		all, in = append(all, what), amber
	}
	switch d.Tag.State {
	case "moved":
		all, in = append(all, "the tag is on "+shortDigest(d.Tag.Digest)+" now"), amber
	case "gone":
		all, in = append(all, "the tag was deleted from ECR"), amber
	case "unknown":
		all = append(all, "unknown: "+d.Tag.Reason)
	}
	if len(all) == 0 {
		return cell{"none", green}
	}
	return cell{strings.Join(all, "; "), in}
}

// board reads the status of services, once or repeatedly.
type board struct {
	env       *environment.Environment
	workloads []environment.Workload
	targets   []ecsservice.Target // of the workloads
	rollouts  *rollout.Client
	resolver  *resolve.Resolver
	memory    *rollout.Memory

	mu   sync.Mutex
	tags map[string]lookup // by reference
}

// lookup is what ECR answered for a tag, and when.
type lookup struct {
	drift tagDrift
	at    time.Time
}

func newBoard(env *environment.Environment, config aws.Config, workloads []environment.Workload) *board {
	b := &board{
		env: env, rollouts: rollout.New(ecsservice.New(config)), resolver: resolve.New(config),
		memory: &rollout.Memory{}, tags: map[string]lookup{},
	}
	for _, w := range workloads {
		b.workloads = append(b.workloads, env.Current(w))
		b.targets = append(b.targets, ecsservice.TargetOf(env, w))
	}
	return b
}

// tag returns whether the tag that a workload runs is still on the image that it
// runs. ECR's answers are kept as long as ECS's.
func (b *board) tag(ctx context.Context, w environment.Workload, runs journal.Record) tagDrift {
	if why := untraceable(w, runs); why != "" {
		return tagDrift{State: "unknown", Reason: why}
	}
	key := w.Name + " " + runs.Tag + " " + runs.Digest
	b.mu.Lock()
	known, ok := b.tags[key]
	b.mu.Unlock()
	if ok && time.Since(known.at) < rollout.MemoryTime {
		return known.drift
	}
	known = lookup{b.lookUp(ctx, w, runs), time.Now()}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tags[key] = known
	return known.drift
}

// lookUp asks ECR which image the tag is on.
func (b *board) lookUp(ctx context.Context, w environment.Workload, runs journal.Record) tagDrift {
	now, err := b.resolver.Resolve(ctx, b.env, w, runs.Tag)
	switch {
	case err == nil && now.Digest == runs.Digest:
		return tagDrift{State: "none"}
	case err == nil:
		return tagDrift{State: "moved", Digest: now.Digest}
	case errors.Is(err, fault.ErrImageNotFound), errors.Is(err, fault.ErrRepositoryNotFound):
		return tagDrift{State: "gone"}
	case errors.Is(err, fault.ErrAccessDenied):
		return tagDrift{State: "unknown", Reason: "these credentials have no access to ECR"}
	default:
		return tagDrift{State: "unknown", Reason: "ECR answers " + fault.NameOf(err)}
	}
}

// untraceable returns why ECR cannot know a workload's tag, "" if it can.
func untraceable(w environment.Workload, runs journal.Record) string {
	ref, err := image.ParseReference(runs.Image)
	registry, ok := ref.Registry()
	switch {
	case err != nil || !ok:
		return "the image is from outside ECR"
	case ref.Repository != w.Repository || registry != w.Registry:
		return "the image is from another repository"
	case runs.Tag == "":
		return "the image was deployed without a tag"
	case runs.Digest == "":
		return "the image is not pinned by a digest"
	}
	return ""
}
