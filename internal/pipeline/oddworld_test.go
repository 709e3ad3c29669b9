package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// oddTransport replaces the answers of one operation.
type oddTransport struct {
	aws       emulatortest.InProcess
	operation string // "" for none
	status    int
	change    func([]byte) []byte
	replaced  int
}

func (o *oddTransport) Do(r *http.Request) (*http.Response, error) {
	name := operationOf(r)
	response, err := o.aws.Do(r)
	if err != nil || o.operation == "" || name != o.operation || response.StatusCode != http.StatusOK {
		return response, err
	}
	o.replaced++
	real, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	odd := o.change(real)
	if o.status != 0 {
		response.StatusCode, response.Status = o.status, fmt.Sprint(o.status, " ", http.StatusText(o.status))
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(odd)), int64(len(odd))
	response.Header.Del("X-Amz-Crc32")
	return response, nil
}

// operationOf returns the name of a request's operation.
func operationOf(r *http.Request) string {
	if _, name, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		return name
	}
	if r.Body == nil || r.Method == http.MethodGet {
		return "GetObject"
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body))
	return form.Get("Action")
}

// oddWorld is emulated AWS with one service, which is reached through a transport.
type oddWorld struct {
	aws       *emulator.Emulator
	transport *oddTransport
	dev       *accounts.Account
	pipeline  *Pipeline
	events    int
}

func newOddWorld(t *testing.T, withAccount bool) *oddWorld {
	t.Helper()
	time.Sleep(time.Until(start)) // fake time begins in 2000
	w := &oddWorld{aws: emulator.New(emulator.Options{})}
	w.transport = &oddTransport{aws: emulatortest.InProcess{AWS: w.aws}}
	plain := accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region)
	w.dev = plain.With(func(c *aws.Config) { c.HTTPClient = emulatortest.InProcess{AWS: w.aws} })
	odd := plain.With(func(c *aws.Config) { c.HTTPClient = w.transport })
	file, err := cloud.ManyServices(t.Context(), w.dev, 1, false)
	if err != nil {
		t.Fatal(err)
	}
	if !withAccount {
		file = strings.Replace(file, "account_id:", "other:", 1)
	}
	env, err := environment.Parse("dev.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	w.pipeline = NewFunction(env, odd.Config, io.Discard)
	return w
}

// handle handles an event within 20 seconds.
func (w *oddWorld) handle(t *testing.T, raw string) (Result, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return w.pipeline.Handle(ctx, json.RawMessage(raw))
}

func (w *oddWorld) event(detailType, source, detail string) string {
	w.events++
	return fmt.Sprintf(`{"version":"0","id":"e%d","detail-type":%q,"source":%q,"account":%q,"time":%q,
		"region":%q,"resources":["arn:aws:ecs:us-east-1:111111111111:service/p_cluster_dev/p_service_s0_dev"],
		"detail":%s}`, w.events, detailType, source, accounts.Dev, time.Now().UTC().Format(time.RFC3339), accounts.Region,
		detail)
}

// push pushes an image of which the service runs none yet.
func (w *oddWorld) push(t *testing.T, tag string) {
	t.Helper()
	if _, err := w.dev.Push(t.Context(), "p_service_s0", "v2", tag); err != nil {
		t.Fatal(err)
	}
}

// deploy deploys tag v2.
func (w *oddWorld) deploy(t *testing.T) {
	t.Helper()
	w.push(t, "v2")
	got, err := w.handle(t, w.event("DEPLOY", "action.dev", `{"service":"s0","tag":"v2"}`))
	if err != nil || got.Status != ecsdeploy.Deployed {
		t.Fatalf("%+v, %v", got, err)
	}
}

// rollout returns ECS's event about the service's newest rollout.
func (w *oddWorld) rollout(t *testing.T, name string) string {
	t.Helper()
	out, err := w.dev.ECS.DescribeServices(t.Context(), &ecs.DescribeServicesInput{
		Cluster: aws.String("p_cluster_dev"), Services: []string{"p_service_s0_dev"}})
	if err != nil {
		t.Fatal(err)
	}
	return w.event("ECS Deployment State Change", "aws.ecs", fmt.Sprintf(
		`{"eventType":"INFO","eventName":%q,"deploymentId":%q,"updatedAt":%q,"reason":""}`, name,
		aws.ToString(out.Services[0].Deployments[0].Id), time.Now().UTC().Format(time.RFC3339)))
}

// result returns the image that the service runs, and the types of the outcomes that are on the bus.
func (w *oddWorld) result(t *testing.T) string {
	t.Helper()
	out, err := w.dev.ECS.DescribeServices(t.Context(), &ecs.DescribeServicesInput{
		Cluster: aws.String("p_cluster_dev"), Services: []string{"p_service_s0_dev"}})
	if err != nil {
		t.Fatal(err)
	}
	revision, err := w.dev.ECS.DescribeTaskDefinition(t.Context(),
		&ecs.DescribeTaskDefinitionInput{TaskDefinition: out.Services[0].TaskDefinition})
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{aws: w.aws}
	var kinds []string
	for _, o := range f.published(t) {
		kinds = append(kinds, o.Kind)
	}
	slices.Sort(kinds)
	return aws.ToString(revision.TaskDefinition.ContainerDefinitions[0].Image) + " " +
		strings.Join(slices.Compact(kinds), ", ")
}
