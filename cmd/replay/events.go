package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// happening is one event, and what it asks for.
type happening struct {
	id      string
	service int // -1 for an event that must not deploy
	at      time.Time
	image   string // the image that it asks for, by digest
	raw     []byte
}

func itoa(n int) string { return strconv.Itoa(n) }

func revisionOf(arn string) int {
	n, _ := strconv.Atoi(arn[strings.LastIndexByte(arn, ':')+1:])
	return n
}

// maker makes events, each of a time of its own in the last minute.
type maker struct {
	*bench
	*rand.Rand
	services int
	begin    time.Time
	all      []happening
	versions []map[string]string // by service: tag to image
}

// make makes events until there are enough for so many deliveries.
func (m *maker) make(ctx context.Context, deliveries int) ([]happening, error) {
	m.versions = make([]map[string]string, m.services)
	for i := range m.versions {
		m.versions[i] = map[string]string{}
	}
	for len(m.all)*3 < deliveries {
		i := m.IntN(m.services)
		var err error
		switch n := m.IntN(20); {
		case n < 6:
			err = m.push(ctx, i)
		case n < 9 && len(m.versions[i]) > 0:
			m.deployOld(i)
		default:
			m.noise(n, i)
		}
		if err != nil {
			return nil, err
		}
	}
	// What the tag latest is on when its events are handled is what they ask for.
	for n, h := range m.all {
		if h.service >= 0 && h.image == "latest" {
			m.all[n].image = m.versions[h.service]["latest"]
		}
	}
	return m.all, nil
}

// next returns the next event's id and its time: a millisecond apart, over the last minute.
func (m *maker) next() (string, time.Time) {
	n := len(m.all)
	return fmt.Sprintf("event-%05d", n), m.begin.Add(time.Duration(n) * 10 * time.Millisecond)
}

func (m *maker) add(service int, image, detailType, source, accountID, detail string) {
	id, at := m.next()
	raw := fmt.Sprintf(`{"version":"0","id":%q,"detail-type":%q,"source":%q,"account":%q,"time":%q,"region":"us-east-1","resources":[],"detail":%s}`,
		id, detailType, source, accountID, at.UTC().Format(time.RFC3339Nano), detail)
	m.all = append(m.all, happening{id, service, at, image, []byte(raw)})
}

func pushDetail(repository, tag, digest, action string) string {
	detail := map[string]string{"action-type": action, "result": "SUCCESS", "repository-name": repository, "image-digest": digest}
	if tag != "" {
		detail["image-tag"] = tag
	}
	b, _ := json.Marshal(detail) // strings always encode
	return string(b)
}

// push pushes a new version under two tags, of which both deploy: two events.
func (m *maker) push(ctx context.Context, i int) error {
	repository, tag := project+"_service_"+serviceName(i), fmt.Sprintf("git-%d", len(m.versions[i])+1)
	digest, err := m.account.Push(ctx, repository, tag, tag, "latest")
	if err != nil {
		return err
	}
	m.versions[i][tag], m.versions[i]["latest"] = digest, digest
	m.add(i, "latest", "ECR Image Action", "aws.ecr", account, pushDetail(repository, "latest", digest, "PUSH"))
	m.add(i, digest, "ECR Image Action", "aws.ecr", account, pushDetail(repository, tag, digest, "PUSH"))
	return nil
}

// deployOld deploys one of the service's versions by hand.
func (m *maker) deployOld(i int) {
	tag := fmt.Sprintf("git-%d", 1+m.IntN(len(m.versions[i])-1))
	for m.versions[i][tag] == "" {
		tag = fmt.Sprintf("git-%d", 1+m.IntN(len(m.versions[i])))
	}
	m.add(i, m.versions[i][tag], "DEPLOY", "action.dev", account, fmt.Sprintf(`{"service":%q,"tag":%q,"actor":"replay"}`, serviceName(i), tag))
}

// noise is an event that must not deploy anything.
func (m *maker) noise(kind, i int) {
	repository, digest := project+"_service_"+serviceName(i), "sha256:"+strings.Repeat("0123456789abcdef", 4)
	const ecr = "ECR Image Action"
	switch kind % 8 {
	case 0:
		m.add(-1, "", ecr, "aws.ecr", account, pushDetail(repository, "", digest, "PUSH"))
	case 1:
		m.add(-1, "", ecr, "aws.ecr", account, pushDetail(repository, "sha256-"+digest[7:]+".sig", digest, "PUSH"))
	case 2:
		m.add(-1, "", ecr, "aws.ecr", account, pushDetail(repository, "latest", digest, "DELETE"))
	case 3:
		m.add(-1, "", ecr, "aws.ecr", account, pushDetail("other_service_"+serviceName(i), "latest", digest, "PUSH"))
	case 4:
		m.add(-1, "", ecr, "aws.ecr", "999999999999", pushDetail(repository, "latest", digest, "PUSH"))
	case 5:
		m.add(-1, "", "DEPLOY", "action.dev", account, fmt.Sprintf(`{"service":%q,"tag":"git-"}`, serviceName(i)))
	case 6:
		m.add(-1, "", "DEPLOY", "action.dev", account, `"not an object"`)
	default:
		m.add(-1, "", "DEPLOY", "action.production", account, fmt.Sprintf(`{"service":%q,"tag":"git-1"}`, serviceName(i)))
	}
}
