package histories

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Generate returns the history of a seed, with some of the actors.
func Generate(seed uint64, actors map[Actor]bool) History {
	g := &generator{random: rand.New(rand.NewPCG(seed, 0x686973746f7279)), actors: actors, versions: 1}
	return g.history(seed)
}

// firstAction is when the first action may be: the services have run for a while.
const firstAction = 10 * time.Minute

type generator struct {
	random   *rand.Rand
	actors   map[Actor]bool
	versions int // of images so far; version 0 is what runs first
	h        History
}

func (g *generator) chance(percent int) bool { return g.random.IntN(100) < percent }

// with reports whether an actor takes part in this history.
func (g *generator) with(a Actor, percent int) bool {
	chance := g.chance(percent) // drawn even if the actor is left out, so that less changes
	return g.actors[a] && chance
}

func (g *generator) between(least, most time.Duration) time.Duration {
	return least + time.Duration(g.random.Int64N(int64(most-least)+1))
}

func (g *generator) history(seed uint64) History {
	g.h = History{Seed: seed, Services: 1, Broken: map[int]bool{}}
	if g.with(OneFamily, 30) {
		g.h.Services, g.h.OneFamily = 2, true
	} else if g.chance(10) {
		g.h.Services = 2
	}
	for range g.h.Services {
		g.h.Breakers = append(g.h.Breakers, g.chance(75))
	}
	if g.with(Late, 40) {
		g.h.LateRollouts = []time.Duration{20 * time.Second, 4 * time.Minute, 12 * time.Minute}[g.random.IntN(3)]
	}
	if g.with(Broken, 60) {
		g.h.FailureDelay = []time.Duration{0, 15 * time.Second, 110 * time.Second}[g.random.IntN(3)]
	}
	if g.with(Stale, 25) {
		g.h.StaleFor = []time.Duration{time.Second, 4 * time.Second}[g.random.IntN(2)]
	}
	g.h.Principals = !g.with(Unnamed, 30)
	at := firstAction
	for id := range 2 + g.random.IntN(7) {
		at += g.gap()
		if a, ok := g.action(id+1, at.Truncate(time.Millisecond)); ok {
			g.h.Actions = append(g.h.Actions, a)
		}
	}
	return g.h
}

// gap returns the time to the next action.
func (g *generator) gap() time.Duration {
	switch roll := g.random.IntN(100); {
	case roll < 45:
		return g.between(0, 4*time.Second)
	case roll < 70:
		return g.between(4*time.Second, time.Minute)
	case roll < 90:
		return g.between(time.Minute, 8*time.Minute)
	}
	return g.between(16*time.Minute, 45*time.Minute)
}

// kinds are the kinds of actions with their weights, and the actor that each belongs to.
var kinds = []struct {
	kind   Kind
	weight int
	actor  Actor
}{
	{Push, 24, ""}, {Deploy, 24, ""}, {LostPush, 4, LostPushes}, {Reconcile, 4, LostPushes},
	{RollbackEvent, 5, Rollbacks}, {RollbackCommand, 3, Rollbacks}, {DeployCommand, 4, Rollbacks},
	{Redeploy, 5, Redeploys}, {Move, 11, People}, {Copy, 6, Copies}, {CopyOnly, 3, Copies},
	{Terraform, 7, Infra}, {TerraformOnly, 6, Infra}, {Throttle, 5, Throttles}, {Deny, 5, Denials},
	{LoseAnswers, 4, LostAnswers}, {Redrive, 4, Denials}, {WrongTime, 3, Times}, {EditTime, 3, Times},
}

func (g *generator) action(id int, at time.Duration) (a Action, ok bool) {
	total := 0
	for _, k := range kinds {
		total += k.weight
	}
	roll := g.random.IntN(total)
	for _, k := range kinds {
		roll -= k.weight
		if roll < 0 {
			a.Kind, ok = k.kind, k.actor == "" || g.actors[k.actor]
			break
		}
	}
	a.ID, a.At, a.Service, a.Pick = id, at, g.random.IntN(g.h.Services), g.random.Uint64()
	g.versions++
	a.Version = g.versions - 1
	old := g.random.IntN(g.versions)
	if slices.Contains([]Kind{Deploy, DeployCommand, Terraform, TerraformOnly}, a.Kind) && g.chance(35) {
		a.Version = old
	}
	if broken := g.with(Broken, 18); broken && slices.Contains([]Kind{Push, Deploy}, a.Kind) && a.Version > 0 {
		g.h.Broken[a.Version] = true
	}
	g.deliver(&a)
	a.Operation, a.For = g.fault(a.Kind)
	return a, ok
}

// deliver adds the deliveries of the action's event, and the deaths of their attempts.
func (g *generator) deliver(a *Action) {
	switch a.Kind {
	case Push, Deploy, RollbackEvent, Redeploy, Reconcile, WrongTime:
		a.Delays = append(a.Delays, g.delay())
		for g.chance(20) {
			a.Delays = append(a.Delays, g.delay())
		}
	case RollbackCommand, DeployCommand:
		a.Delays = []time.Duration{0}
	}
	for delivery := range a.Delays {
		for attempt := range 2 {
			if !g.with(Kills, 15) {
				break
			}
			a.Kills = append(a.Kills, Kill{delivery, attempt, g.random.IntN(8), g.chance(60)})
		}
	}
}

// delay returns how long a delivery takes.
func (g *generator) delay() time.Duration {
	late := g.with(LateEvents, 6)
	switch roll := g.random.IntN(100); {
	case late:
		return g.between(15*time.Minute, 40*time.Minute)
	case roll < 60:
		return g.between(0, 2*time.Second)
	case roll < 85:
		return g.between(2*time.Second, 90*time.Second)
	}
	return g.between(90*time.Second, 8*time.Minute)
}

// fault returns the operation and the length of a fault.
func (g *generator) fault(k Kind) (operation string, lasts time.Duration) {
	operation = []string{"UpdateService", "UpdateService", "RegisterTaskDefinition", "DescribeServices",
		"DescribeTaskDefinition", "TagResource"}[g.random.IntN(6)]
	switch k {
	case Throttle:
		return operation, g.between(2*time.Second, 140*time.Second)
	case Deny:
		return operation, g.between(30*time.Second, 10*time.Minute)
	case LoseAnswers:
		return operation, g.between(time.Second, 20*time.Second)
	}
	return "", 0
}
