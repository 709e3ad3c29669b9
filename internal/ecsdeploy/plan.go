package ecsdeploy

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/image"
	"deployer/internal/journal"
)

// base returns the revision that a deployment is expected to clone, before the rule has
// decided: the newest one that is not another service's.
func (s *State) base() ecsservice.Revision {
	if s.target.Base == environment.BaseService || s.target.Record(s.newest).Other {
		return s.running
	}
	return s.newest
}

// source returns the revision that a registration clones.
func (s *State) source(n converge.Registration) ecsservice.Revision {
	if r, known := s.revisions[n.Clone]; known && r.TaskDefinition.Family != nil {
		return r
	}
	return s.base()
}

// registration returns the revision to register for the order, or for a copy, and its
// image. It is a clone with another image in the target's containers, and with a
// journal.
func (s *State) registration(o Order, n converge.Registration) (*ecs.RegisterTaskDefinitionInput, string, error) {
	base := s.source(n)
	chosen, err := s.target.Containers(base.TaskDefinition)
	if err != nil {
		return nil, "", err
	}
	in := clone(base)
	entry := o.journal()
	if copyOf(n) > 0 {
		entry = s.copyEntry(n)
		s.copyImages(in, chosen, s.revisions[copyOf(n)])
	} else {
		for _, i := range chosen {
			in.ContainerDefinitions[i].Image = aws.String(o.reference(in.ContainerDefinitions[i]).String())
		}
		entry.Rule.Demand = s.demand(o)
	}
	entry.Service, entry.Previous = journal.ServiceName(s.target.Cluster, s.target.Service), s.running.ARN()
	entry.Rule.Base, entry.Rule.Best = cmp.Or(n.Base, s.newest.Number()), journal.Best(n.Summary)
	entry.Rule.Configuration = journal.Configuration{From: n.Configuration, Seen: n.Seen}
	entry.Rule.Request, entry.Rule.Principal = o.Request, o.Principal
	if err := s.addJournal(in, base, entry); err != nil {
		return nil, "", err
	}
	return in, aws.ToString(in.ContainerDefinitions[chosen[0]].Image), nil
}

// addJournal adds a journal to the tags of a registration, a clone of base.
func (s *State) addJournal(in *ecs.RegisterTaskDefinitionInput, base ecsservice.Revision, entry journal.Entry) error {
	own := len(in.Tags)
	tags, leftOut, ok := entry.TagsWithin(journal.MaxTags - journal.NoteTags - own)
	if !ok {
		tags, leftOut, ok = entry.TagsWithin(journal.MaxTags - journal.EssentialNoteTags - own)
	}
	in.Tags = append(in.Tags, ecsservice.SDKTags(tags)...)
	s.leftOut = leftOut
	if !ok {
		remove := 0
		for !ok { // events differ in how many tags they need
			remove++
			_, _, ok = entry.TagsWithin(journal.MaxTags - journal.EssentialNoteTags - own + remove)
		}
		return fault.Misconfigured("TooManyTags", fmt.Sprintf("cloning task definition %q", base.ARN()),
			fmt.Errorf("it has %d tags of its own, and a deployment needs up to %d more, of %d that ECS allows", own,
				journal.MaxTags-journal.OwnTagsLimit, journal.MaxTags),
			fmt.Sprintf("remove %d of the family's own tags or more, in the infrastructure", remove))
	}
	return nil
}

// deployment returns the parts of a result that do not depend on its outcome.
// The error is a [fault.Rejection] if the image is built for other platforms than the
// service's tasks run on.
func (s *State) deployment(o Order) (Deployment, error) {
	if err := s.checkPlatform(o); err != nil {
		return Deployment{}, err
	}
	if err := s.target.CheckTime(s.pointers, s.now); err != nil {
		return Deployment{}, err
	}
	if err := s.checkShared(); err != nil {
		return Deployment{}, err
	}
	_, image, err := s.registration(o, converge.Registration{})
	d := Deployment{
		Service: s.target.Workload, Cluster: s.target.Cluster, ECSService: s.target.Service,
		Image: image, Tag: o.Image.Tag, Digest: o.Image.Digest, PreviousTaskDefinition: s.before.ARN(),
	}
	if s.target.Task {
		d.ECSService = ""
	}
	for _, p := range s.pointers {
		d.Pointers = append(d.Pointers, p.String())
	}
	return d, err
}

// Check returns the fault that the order would fail with before anything is registered, as
// far as it can be known from the state: a container that is not found, too many tags, a
// task definition that is too large, an image for another platform.
func (s *State) Check(o Order) error {
	if _, err := s.deployment(o); err != nil {
		return err
	}
	if s.runsImage(o) && !o.Force {
		return nil
	}
	_, err := s.measure(o, converge.Registration{})
	return err
}

// maxTaskDefinition is the size limit of a task definition in bytes. See "Amazon ECS
// endpoints and quotas".
const maxTaskDefinition = 64 << 10

// measure returns a note on the size of what would be registered, "" if it is small enough.
// If it is too large, the error is the one that ECS would answer with.
func (s *State) measure(o Order, n converge.Registration) (string, error) {
	in, _, err := s.registration(o, n)
	if err != nil {
		return "", err
	}
	sent, err := body(s.source(n), in)
	if err != nil {
		return "", err
	}
	note := fmt.Sprintf("it has %d of at most %d bytes", len(sent), maxTaskDefinition)
	switch {
	case len(sent) > maxTaskDefinition:
		return "", fault.Misconfigured("TaskDefinitionTooLarge",
			fmt.Sprintf("cloning task definition %q", s.source(n).ARN()), errors.New(note),
			"make the family's task definition smaller: move environment variables to SSM parameters, or to a file "+
				"in S3 (environmentFiles)")
	case len(sent) > maxTaskDefinition*9/10:
		return "; " + note, nil
	}
	return "", nil
}

// omitted returns a note on what the journal of the new revision lacks, "" if nothing.
func (s *State) omitted() string {
	if len(s.leftOut) == 0 {
		return ""
	}
	return fmt.Sprintf("; the revision has too many tags of its own, so that its journal lacks %s",
		strings.Join(s.leftOut, ", "))
}

// journal returns what the journal of the order's revision has about the order.
func (o Order) journal() journal.Entry {
	return journal.Entry{Cause: o.Cause, Tag: o.Image.Tag, Digest: o.Image.Digest, Restores: o.Restores}
}

// reference returns the new image reference of a container: by digest or by
// tag. It keeps the host name if that is another one of the same registry: a
// FIPS or dual-stack endpoint was chosen on purpose.
func (o Order) reference(c types.ContainerDefinition) image.Reference {
	ref := o.Image
	// A rollback and a redeployment name a digest: their tag may be on another image by now.
	if o.Form == environment.ByTag && ref.Tag != "" && o.Restores == "" && !o.Redeploy {
		ref.Digest = ""
	} else {
		ref.Tag = ""
	}
	old, err := image.ParseReference(aws.ToString(c.Image))
	if err != nil {
		return ref
	}
	was, isECR := old.Registry()
	if is, _ := ref.Registry(); isECR && was == is {
		ref.Host = old.Host
	}
	return ref
}
