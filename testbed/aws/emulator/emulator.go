package emulator

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"deployer/internal/iam"
)

// DefaultRolloutStep is how long each phase of a rollout lasts when
// [Options.RolloutStep] is zero.
const DefaultRolloutStep = 10 * time.Second

// Options are the choices a new [Emulator] is made with. The zero value is ready to use.
type Options struct {
	// Clock is the time of the emulated services: time stamps, rollouts and rate
	// limits follow it. Nil is time.Now.
	Clock func() time.Time

	// RolloutStep is how long each phase of a rollout lasts: tasks pending, tasks
	// running beside the old ones, done; and how often a broken image fails.
	RolloutStep time.Duration

	// BakeMinute is how long a minute of the bake time of a blue/green, linear or canary
	// deployment lasts. Zero is a minute.
	BakeMinute time.Duration

	// RateLimits makes ECS throttle as its documented token buckets do.
	RateLimits bool
}

// An Emulator is the emulated services. It implements [http.Handler] and is safe for
// concurrent use. Make one with [New].
type Emulator struct {
	clock       func() time.Time
	rolloutStep time.Duration
	bakeMinute  time.Duration
	rateLimits  bool

	mu            sync.Mutex // guards everything below, and all that the scopes hold
	serial        uint64
	scopes        map[scopeKey]*scope
	roles         map[roleKey][]*iam.Document
	organizations map[string]string // account to organisation
	brokenImages  []string
	buckets       map[bucketKey]*bucket
	faults        []*activeFault
	calls         []Call
	unknown       []string
	downloads     map[string]download // by the token of their URL
	topics        map[string]*topic   // by ARN
	delivery
}

type scopeKey struct{ account, region string }

// A scope is what one account holds in one region.
type scope struct {
	scopeKey
	repositories    map[string]*repository
	clusters        map[string]*cluster
	taskDefinitions map[string]*family
	buses           map[string]*eventBus
	parameters      map[string]*parameter
	secrets         map[string]*secret
}

type roleKey struct{ account, role string }

// New returns an emulator in which no account holds anything yet.
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
	e := &Emulator{
		clock:         o.Clock,
		rolloutStep:   o.RolloutStep,
		bakeMinute:    o.BakeMinute,
		rateLimits:    o.RateLimits,
		scopes:        map[scopeKey]*scope{},
		roles:         map[roleKey][]*iam.Document{},
		organizations: map[string]string{},
		buckets:       map[bucketKey]*bucket{},
		downloads:     map[string]download{},
		topics:        map[string]*topic{},
	}
	e.delivery.init(&e.mu)
	return e
}

// SetOrganization makes the accounts members of one organisation of AWS
// Organizations, so that the condition key aws:PrincipalOrgID has a value for them.
func (e *Emulator) SetOrganization(id string, accounts ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, account := range accounts {
		e.organizations[account] = id
	}
}

// SetRolePolicy gives the role the documents as its identity policies, in place of
// those it had. A role without policies may do nothing, as in IAM.
func (e *Emulator) SetRolePolicy(account, role string, documents ...*iam.Document) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.roles[roleKey{account, role}] = documents
}

// FailImage makes every task one of whose containers has an image reference that
// contains part fail to become healthy, from its next attempt on.
func (e *Emulator) FailImage(part string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.brokenImages = append(e.brokenImages, part)
}

// MendImage takes back [Emulator.FailImage] for the same part.
func (e *Emulator) MendImage(part string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.brokenImages = slices.DeleteFunc(e.brokenImages, func(s string) bool { return s == part })
}

// Tick brings every rollout up to the clock's time, so that the events of what has
// happened since are sent without anybody describing the services.
func (e *Emulator) Tick() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.sortedServices() {
		e.advance(s)
	}
}

// UnknownOperations returns the operations that were called but that the emulator does
// not have, such as "ecs:RunTask", in the order of their calls.
func (e *Emulator) UnknownOperations() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.unknown)
}

// scope returns what the account holds in the region, making room for it if need be.
func (e *Emulator) scope(account, region string) *scope {
	key := scopeKey{account, region}
	s, ok := e.scopes[key]
	if !ok {
		s = &scope{
			scopeKey:        key,
			repositories:    map[string]*repository{},
			clusters:        map[string]*cluster{},
			taskDefinitions: map[string]*family{},
			buses:           map[string]*eventBus{},
			parameters:      map[string]*parameter{},
			secrets:         map[string]*secret{},
		}
		s.buses[defaultBus] = newEventBus(key, defaultBus, e.clock())
		e.scopes[key] = s
	}
	return s
}

var _ http.Handler = (*Emulator)(nil)
