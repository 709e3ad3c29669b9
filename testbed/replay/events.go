package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"deployer/testbed/accounts"
)

// happening is one event, and what it asks for.
type happening struct {
	id      string
	service int // -1 for an event that must not deploy
	at      time.Time
	tag     string // what it asks for; "" if it must not deploy
	image   string // the digest of the image that the tag is on
	raw     []byte
}

// story makes events. Begin with newStory.
type story struct {
	place
	account *accounts.Account
	dice    *rand.Rand

	told     []told
	versions [][]string // by service: the digests of git-1, git-2, …
}

func newStory(p place, a *accounts.Account, seed uint64) *story {
	return &story{place: p, account: a, dice: rand.New(rand.NewPCG(seed, 1)), versions: make([][]string, p.services)}
}

// told is an event that has no time yet.
type told struct {
	service                     int    // as in happening
	tag                         string // as in happening
	detailType, source, account string
	detail                      string
}

const pushed, asked = "ECR Image Action", "DEPLOY"

// tell makes at least so many events: pushes of two tags, DEPLOYs of versions
// of before, and about as many that must not deploy.
func (s *story) tell(ctx context.Context, events int) error {
	for len(s.told) < events {
		i := s.dice.IntN(s.services)
		switch n := s.dice.IntN(20); {
		case n < 6:
			if err := s.push(ctx, i); err != nil {
				return err
			}
		case n < 9 && len(s.versions[i]) > 0:
			tag := fmt.Sprintf("git-%d", 1+s.dice.IntN(len(s.versions[i])))
			s.add(i, tag, asked, "action.dev", account, fmt.Sprintf(`{"service":%q,"tag":%q,"actor":"replay"}`, serviceName(i), tag))
		default:
			s.noise(i)
		}
	}
	return nil
}

// events returns the first of the events told, spread evenly over the minute
// before now, to the millisecond.
func (s *story) events(most int, now time.Time) []happening {
	all := make([]happening, most)
	for n, t := range s.told[:most] {
		at := now.Add(-time.Minute + time.Minute*time.Duration(n)/time.Duration(most)).UTC().Truncate(time.Millisecond)
		h := happening{id: fmt.Sprintf("event-%05d", n), service: t.service, at: at, tag: t.tag}
		if t.service >= 0 {
			h.image = s.image(t.service, t.tag)
		}
		h.raw = fmt.Appendf(nil, `{"version":"0","id":%q,"detail-type":%q,"source":%q,"account":%q,"time":%q,"region":%q,"resources":[],"detail":%s}`,
			h.id, t.detailType, t.source, t.account, at.Format(time.RFC3339Nano), region, t.detail)
		all[n] = h
	}
	return all
}

// image returns the image that a tag is on when the events are delivered,
// which is after all of the story's pushes.
func (s *story) image(service int, tag string) string {
	versions := s.versions[service]
	n := len(versions)
	if tag != "latest" {
		fmt.Sscanf(tag, "git-%d", &n)
	}
	return versions[n-1]
}

func (s *story) add(service int, tag, detailType, source, accountID, detail string) {
	s.told = append(s.told, told{service, tag, detailType, source, accountID, detail})
}

// push pushes a new version under two tags, of which both deploy: two events.
func (s *story) push(ctx context.Context, i int) error {
	tag := fmt.Sprintf("git-%d", len(s.versions[i])+1)
	digest, err := s.account.Push(ctx, s.repository(i), tag, tag, "latest")
	if err != nil {
		return err
	}
	s.versions[i] = append(s.versions[i], digest)
	for _, tag := range []string{"latest", tag} {
		s.add(i, tag, pushed, "aws.ecr", account, pushDetail(s.repository(i), tag, digest, "PUSH"))
	}
	return nil
}

func pushDetail(repository, tag, digest, action string) string {
	detail := map[string]string{"action-type": action, "result": "SUCCESS", "repository-name": repository, "image-digest": digest}
	if tag != "" {
		detail["image-tag"] = tag
	}
	b, _ := json.Marshal(detail) // strings always encode
	return string(b)
}

// noise adds an event that must not deploy anything, though each is but one
// step from one that must.
func (s *story) noise(i int) {
	repository, name, hex := s.repository(i), serviceName(i), strings.Repeat("0123456789abcdef", 4)
	digest := "sha256:" + hex
	push := func(accountID, repository, tag, action string) {
		s.add(-1, "", pushed, "aws.ecr", accountID, pushDetail(repository, tag, digest, action))
	}
	deploy := func(source, format string) {
		s.add(-1, "", asked, source, account, strings.ReplaceAll(format, "NAME", name))
	}
	switch s.dice.IntN(10) {
	case 0:
		push(account, repository, "", "PUSH")
	case 1:
		push(account, repository, "sha256-"+hex+".sig", "PUSH")
	case 2:
		push(account, repository, "latest", "DELETE")
	case 3:
		push(account, "other"+repository, "latest", "PUSH")
	case 4:
		push("999999999999", repository, "latest", "PUSH")
	case 5:
		deploy("action.dev", `{"service":"NAME","tag":"git-"}`) // the commit's variable was empty
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

// disorder returns so many deliveries of the events, each of them delivered
// one to five times, in any order.
func disorder(events []happening, copies []int, dice *rand.Rand) []happening {
	var queue []happening
	for n, h := range events {
		for range copies[n] {
			queue = append(queue, h)
		}
	}
	dice.Shuffle(len(queue), func(i, j int) { queue[i], queue[j] = queue[j], queue[i] })
	return queue
}

// copiesOf returns how often each event is delivered, one to five times, so
// that there are so many deliveries in all.
func copiesOf(deliveries int, dice *rand.Rand) (copies []int) {
	for left := deliveries; left > 0; {
		n := min(left, 1+dice.IntN(5))
		copies = append(copies, n)
		left -= n
	}
	return copies
}
