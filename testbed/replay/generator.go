package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"

	"deployer/testbed/accounts"
	"deployer/testbed/fleet"
)

// A generator generates events at random.
type generator struct {
	services fleet.Services
	log      *fleet.EventLog
	random   *rand.Rand
}

func newGenerator(s fleet.Services, a *accounts.Account, random *rand.Rand) *generator {
	return &generator{s, fleet.NewEventLog(s, a), random}
}

// generate generates about n events: pushes of two tags each, DEPLOY events for versions that were pushed before, and
// about as many events that must not deploy.
func (g *generator) generate(ctx context.Context, n int) error {
	for end := g.log.Len() + n; g.log.Len() < end; {
		i := g.random.IntN(g.services.Count)
		roll := g.random.IntN(20)
		switch {
		case roll < 6:
			if err := g.log.Push(ctx, i); err != nil {
				return err
			}
		case roll < 9 && g.log.Versions(i) > 0:
			g.log.Deploy(i, 1+g.random.IntN(g.log.Versions(i)))
		default:
			g.addNoise(i)
		}
	}
	return nil
}

// addNoise adds an event that must not deploy anything, and differs in one point from an event that must.
func (g *generator) addNoise(i int) {
	repository, hex := g.services.Repository(i), strings.Repeat("0123456789abcdef", 4)
	push := func(accountID, repository, tag, action string) {
		g.log.Add(fleet.Draft{
			Service: fleet.NoService, DetailType: fleet.PushEvent, Source: "aws.ecr", AccountID: accountID,
			Detail: fleet.PushDetail(repository, tag, "sha256:"+hex, action),
		})
	}
	deploy := func(source, detail string) {
		g.log.Add(fleet.Draft{
			Service: fleet.NoService, DetailType: fleet.DeployEvent, Source: source, AccountID: accounts.Dev,
			Detail: strings.ReplaceAll(detail, "NAME", fleet.ServiceName(i)),
		})
	}
	switch g.random.IntN(10) {
	case 0:
		push(accounts.Dev, repository, "", "PUSH")
	case 1:
		push(accounts.Dev, repository, "sha256-"+hex+".sig", "PUSH")
	case 2:
		push(accounts.Dev, repository, "latest", "DELETE")
	case 3:
		push(accounts.Dev, "other"+repository, "latest", "PUSH")
	case 4:
		push("999999999999", repository, "latest", "PUSH")
	case 5:
		deploy("action.dev", `{"service":"NAME","tag":"git-"}`) // CI's variable for the commit was empty
	case 6:
		deploy("action.dev", `"not an object"`)
	case 7:
		deploy("action.dev", `{"service":"NAME","tag":"latest","dry-run":true}`)
	case 8:
		deploy("action.dev", `{"service":"NAME","tag":"never-pushed"}`)
	default:
		deploy("action.production", `{"service":"NAME","tag":"latest"}`)
	}
}

// copies returns how often each event is delivered, one to five times, so that there are n deliveries in all.
func (g *generator) copies(n int) (copies []int) {
	for left := n; left > 0; {
		c := min(left, 1+g.random.IntN(5))
		copies = append(copies, c)
		left -= c
	}
	return copies
}

// near is how many events may overtake each other if neither is very late. Events that are shuffled over a whole phase
// are mostly superseded when they come.
const near = 24

// shuffle returns the copies of the events as they are delivered: most near their place, some anywhere, and some only
// in a later phase. The first copy of an event is never that late.
func (g *generator) shuffle(events []fleet.Event, copies []int) (now, late []fleet.Event) {
	type delivery struct {
		event fleet.Event
		at    int
	}
	var deliveries []delivery
	for n, e := range events {
		for c := range copies[min(n, len(copies)-1)] {
			switch roll := g.random.IntN(20); {
			case roll == 0 && c > 0:
				late = append(late, e)
			case roll < 4:
				deliveries = append(deliveries, delivery{e, g.random.IntN(len(events) + near)})
			default:
				deliveries = append(deliveries, delivery{e, n + g.random.IntN(near)})
			}
		}
	}
	slices.SortStableFunc(deliveries, func(a, b delivery) int { return a.at - b.at })
	for _, d := range deliveries {
		now = append(now, d.event)
	}
	return now, late
}
