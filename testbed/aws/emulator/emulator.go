package emulator

import (
	"net/http"
	"slices"
	"time"

	"deployer/testbed/aws/api"
	"deployer/testbed/aws/ecr"
	"deployer/testbed/aws/ecs"
	"deployer/testbed/aws/events"
	"deployer/testbed/aws/iam"
	"deployer/testbed/aws/kms"
	"deployer/testbed/aws/lambda"
	"deployer/testbed/aws/logs"
	"deployer/testbed/aws/s3"
	"deployer/testbed/aws/scheduler"
	"deployer/testbed/aws/secretsmanager"
	"deployer/testbed/aws/sns"
	"deployer/testbed/aws/sqs"
	"deployer/testbed/aws/ssm"
	"deployer/testbed/aws/sts"
)

// DefaultRolloutStep is the default of [Options.RolloutStep].
const DefaultRolloutStep = 10 * time.Second

// Options are the options of [New]. The zero value is ready to use.
type Options struct {
	// Clock returns the time of the emulated services, which time stamps, rollouts and rate limits follow. The default
	// is time.Now.
	Clock func() time.Time

	// RolloutStep is how long each phase of a rollout lasts (tasks are pending; tasks run beside the old ones), and the
	// interval at which tasks with a broken image fail. The default is [DefaultRolloutStep].
	RolloutStep time.Duration

	// BakeMinute is how long a minute of the bake time of a blue/green, linear or canary deployment lasts. The default
	// is a minute.
	BakeMinute time.Duration

	// VerifyLayers makes ECR refuse manifests whose layers were not uploaded, see [ecr.Options].
	VerifyLayers bool
}

// An Emulator is the emulated services. It implements [http.Handler] and is safe for concurrent use: one lock guards
// the state of all services, so calls never overlap.
type Emulator struct {
	backend *api.Backend
	iam     *iam.Server
	s3      *s3.Server
	sqs     *sqs.Server
	events  *events.Server
	ecr     *ecr.Server
	ecs     *ecs.Server
	sns     *sns.Server
	kms     *kms.Server
	secrets *secretsmanager.Server
	ssm     *ssm.Server
	lambda  *lambda.Server
	logs    *logs.Server

	scheduler *scheduler.Server

	operations api.Operations

	// The backend's lock guards these too.
	limited bool // whether ECS throttles, see LimitRates
	buckets map[bucketKey]*bucket
	faults  []*activeFault
	calls   []Call
	unknown []string
	stacks  map[string]string // ARNs of stacks, by their resources, see claim
}

var _ http.Handler = (*Emulator)(nil)

// New returns an emulator in which no account has any resources.
func New(o Options) *Emulator {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.RolloutStep <= 0 {
		o.RolloutStep = DefaultRolloutStep
	}
	if o.BakeMinute <= 0 {
		o.BakeMinute = time.Minute
	}
	backend := &api.Backend{Clock: o.Clock}
	e := &Emulator{backend: backend, buckets: map[bucketKey]*bucket{}, stacks: map[string]string{}}
	e.iam = iam.New(backend)
	e.sqs = sqs.New(backend, e.iam)
	e.events = events.New(backend, e.iam, e.sqs)
	e.s3 = s3.New(backend, e.events)
	e.ecr = ecr.New(backend, e.events, e.s3, ecr.Options{VerifyLayers: o.VerifyLayers})
	e.ecs = ecs.New(backend, e.ecr, e.events, e.iam, ecs.Options{RolloutStep: o.RolloutStep, BakeMinute: o.BakeMinute})
	e.events.RunTasks(e.ecs)
	e.sns = sns.New(backend)
	e.kms = kms.New(backend)
	e.secrets = secretsmanager.New(backend, e.events)
	e.ssm = ssm.New(backend, e.secrets, e.events)
	e.lambda = lambda.New(backend, e.s3)
	e.logs = logs.New(backend)
	e.ecs.LogTo(e.logs)
	e.scheduler = scheduler.New(backend, e.iam, e.events, e.ecs, e.sqs)
	e.operations = merge(
		e.iam.Operations(), e.s3.Operations(), e.sqs.Operations(), e.events.Operations(), e.ecr.Operations(),
		e.ecs.Operations(), e.sns.Operations(), e.secrets.Operations(), e.ssm.Operations(),
		e.kms.Operations(), e.lambda.Operations(), e.scheduler.Operations(), e.logs.Operations(),
		sts.Operations(),
	)
	return e
}

// merge returns the operations of all services.
func merge(services ...api.Operations) api.Operations {
	all := api.Operations{}
	for _, operations := range services {
		for name, operation := range operations {
			all[name] = operation
		}
	}
	return all
}

// UnknownOperations returns the operations that were called and that the emulator does not have, such as
// "ecs:StopTask", in the order of the calls.
func (e *Emulator) UnknownOperations() []string {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	return slices.Clone(e.unknown)
}
