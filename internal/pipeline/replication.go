package pipeline

import (
	"context"
	"errors"
	"time"

	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/resolve"
)

// replicationTime is how long a copy of an image may take: ECR replicates most
// images in less than 30 minutes ("Private image replication in Amazon ECR" in the
// ECR user guide).
const replicationTime = 30 * time.Minute

// awaitReplica returns a lookup that expects a replicated image. Until
// replicationTime has passed since the event, an image that ECR does not have is a
// [fault.Outage]: Lambda retries the event after one and two more minutes, then
// keeps it in the failure queue. Later it is a [fault.Rejection], as for any event.
func (p *Pipeline) awaitReplica(request event.Request, lookup imageLookup) imageLookup {
	return func(ctx context.Context) (resolve.Image, error) {
		found, err := lookup(ctx)
		var missing *fault.Rejection
		if !errors.As(err, &missing) || missing.Name != fault.ErrImageNotFound ||
			p.now().Sub(request.Cause.Time) >= replicationTime {
			return found, err
		}
		return found, fault.Unavailable(missing.Name, missing.Doing, missing.Err,
			"ECR reported its replication at "+request.Cause.Time.Format(time.RFC3339)+
				"; the event is retried for three minutes, and then kept in the failure queue for deployer redrive")
	}
}
