package emulatortest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
)

// The media types of [Manifest] and of image indexes.
const (
	ManifestType = "application/vnd.oci.image.manifest.v1+json"
	IndexType    = "application/vnd.oci.image.index.v1+json"
)

// Manifest returns the manifest of an image that differs from others by its name.
func Manifest(name string) string {
	return `{"schemaVersion":2,"mediaType":"` + ManifestType +
		`","config":{"mediaType":"application/vnd.oci.image.config.v1+json",` +
		`"digest":"` + Digest(name) + `","size":7},"layers":[{"size":35}]}`
}

// Digest returns the digest of a manifest or a layer.
func Digest(content string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(content))) }

// Push puts the image of [Manifest] under a tag, "" for none, and returns its digest.
func (e *Env) Push(tb testing.TB, key, repository, name, tag string) (digest string) {
	tb.Helper()
	body, err := json.Marshal(map[string]string{
		"repositoryName": repository, "imageManifest": Manifest(name), "imageTag": tag,
	})
	if err != nil {
		tb.Fatal(err)
	}
	e.Do(tb, key, "ecr:PutImage", string(body))
	return Digest(Manifest(name))
}

// Register registers a revision of a family whose only container, app, runs the image. It returns the revision's ARN.
func (e *Env) Register(tb testing.TB, key, family, image string) (arn string) {
	tb.Helper()
	answer := e.Do(tb, key, "ecs:RegisterTaskDefinition",
		`{"family":"`+family+`","containerDefinitions":[{"name":"app","image":"`+image+`","memory":128}]}`)
	var registered struct {
		TaskDefinition struct{ TaskDefinitionArn string }
	}
	if err := json.Unmarshal([]byte(answer), &registered); err != nil {
		tb.Fatal(err)
	}
	return registered.TaskDefinition.TaskDefinitionArn
}

// NewService is [New] with the service web of the cluster c. It has run two tasks of the first revision of the family
// web for two minutes. more are further members of CreateService in JSON.
func NewService(tb testing.TB, more string) *Env {
	tb.Helper()
	e := New(tb, emulator.Options{})
	e.Do(tb, accounts.Dev, "ecs:CreateCluster", `{"clusterName":"c"}`)
	e.Register(tb, accounts.Dev, "web", "nginx")
	e.Do(tb, accounts.Dev, "ecs:CreateService",
		`{"cluster":"c","serviceName":"web","taskDefinition":"web","desiredCount":2`+more+`}`)
	e.Clock.Advance(2 * time.Minute)
	return e
}

// Rule creates the rule "all" on the default bus with one target; more are further members of the target in JSON.
func (e *Env) Rule(tb testing.TB, key, pattern, target, more string) {
	tb.Helper()
	quoted, err := json.Marshal(pattern)
	if err != nil {
		tb.Fatal(err)
	}
	e.Do(tb, key, "events:PutRule", `{"Name":"all","EventPattern":`+string(quoted)+`}`)
	e.Do(tb, key, "events:PutTargets", `{"Rule":"all","Targets":[{"Id":"t","Arn":"`+target+`"`+more+`}]}`)
}

// Bodies returns the messages in the queue with the ARN, with ID for every UUID.
func (e *Env) Bodies(tb testing.TB, queueARN string) []string {
	tb.Helper()
	var bodies []string
	for _, m := range e.AWS.Queue(queueARN) {
		bodies = append(bodies, HideUUIDs(string(m.Body)))
	}
	return bodies
}
