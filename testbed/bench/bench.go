package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/cloud"
	"deployer/testbed/lambdahost"
)

// bench is the emulated cloud and what runs on it.
type bench struct {
	dir     string
	product string // the directory of bootstrap and deployer
	aws     *emulator.Emulator
	plain   *httptest.Server
	tls     *httptest.Server
	file    string // the environment file
	events  int    // that were sent
	crowds  map[crowdOf][]crowd
}

const environment = "dev"

// newBench builds the programs and starts the cloud. Product is the directory of a product that is built already, or
// empty.
func newBench(ctx context.Context, root, product string) (b *bench, err error) {
	b = &bench{product: product}
	if b.dir, err = os.MkdirTemp("", "deployer-bench-"); err != nil {
		return nil, err
	}
	if err := b.build(ctx, root); err != nil {
		b.close()
		return nil, err
	}
	b.aws = emulator.New(emulator.Options{})
	b.plain, b.tls = httptest.NewServer(b.aws), httptest.NewTLSServer(b.aws)
	if err := b.setUp(ctx); err != nil {
		b.close()
		return nil, err
	}
	b.file, err = filepath.Abs(filepath.Join(root, "examples", "centralized-dev-ecr", environment+".yaml"))
	return b, err
}

// tag is the tag that is deployed: of an index, as `docker buildx build` pushes by default.
const tag = "index"

// setUp creates the services, and pushes the image.
func (b *bench) setUp(ctx context.Context) error {
	all, err := cloud.CentralizedDev(ctx, b.plain.URL)
	if err != nil {
		return err
	}
	_, err = all[environment].PushIndex(ctx, cloud.Project+"_backend", "v2", []string{"linux/amd64"}, tag)
	return err
}

// build builds product and floor with the release's flags, for this machine.
func (b *bench) build(ctx context.Context, root string) error {
	for _, p := range []struct{ name, tags, path string }{
		{"bootstrap", "lambda.norpc,function", "./cmd/deployer"},
		{"deployer", "lambda.norpc", "./cmd/deployer"},
		{"empty", "lambda.norpc", "./testbed/floor/empty"},
		{"raw", "lambda.norpc", "./testbed/floor/raw"},
	} {
		if b.product != "" && p.path == "./cmd/deployer" {
			continue
		}
		built := filepath.Join(b.dir, "built")
		command := exec.CommandContext(ctx, "go", "build", "-tags", p.tags, "-trimpath", "-ldflags=-s -w",
			"-o", built, p.path)
		command.Dir, command.Env = root, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", p.name, err, out)
		}
		if err := write(built, filepath.Join(b.dir, p.name)); err != nil {
			return err
		}
	}
	if b.product == "" {
		b.product = b.dir
	}
	return nil
}

// write copies a program, as Lambda unpacks it from its zip. What the linker leaves is in memory in small pieces,
// because it writes at random: a start from there takes up to a millisecond longer.
func write(from, to string) error {
	all, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, all, 0o755)
}

func (b *bench) close() {
	for _, server := range []*httptest.Server{b.plain, b.tls} {
		if server != nil {
			server.Close()
		}
	}
	os.RemoveAll(b.dir)
}

// program is an executable to measure.
type program string

const (
	product program = "bootstrap"
	command program = "deployer"
	empty   program = "empty"
	raw     program = "raw"
)

func (b *bench) path(p program) string {
	if p == product || p == command {
		return filepath.Join(b.product, string(p))
	}
	return filepath.Join(b.dir, string(p))
}

// env returns the variables of a program that deploys through an endpoint.
func (b *bench) env(url string) map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL": url, "DEPLOYER_ENVIRONMENT_FILE": b.file,
		"FLOOR_REGISTRY": accounts.Dev, "FLOOR_REPOSITORY": cloud.Project + "_backend", "FLOOR_TAG": tag,
		"FLOOR_CLUSTER": cloud.ClusterName(environment), "FLOOR_SERVICE": cloud.ServiceName("backend", environment),
		"FLOOR_FAMILY": cloud.ServiceName("backend", environment),
	}
}

// start returns a host with a program behind it that calls AWS at url. The caller closes it.
func (b *bench) start(ctx context.Context, p program, url string, change func(*lambdahost.Options)) (
	*lambdahost.Host, error,
) {
	o := lambdahost.Options{
		Bootstrap: b.path(p), Dir: b.dir, Env: b.env(url), Timeout: time.Minute,
		FunctionARN: "arn:aws:lambda:" + accounts.Region + ":" + accounts.Dev + ":function:deployer",
		AccessKeyID: accounts.Dev, SecretAccessKey: "any", Concurrency: 1, Measure: true,
	}
	if change != nil {
		change(&o)
	}
	return lambdahost.Start(ctx, o)
}

// deploy invokes the function with an event that deploys, and fails if it does not.
func (b *bench) deploy(ctx context.Context, host *lambdahost.Host) (lambdahost.Response, error) {
	b.events++
	at := time.Now().UTC().Add(time.Duration(b.events) * time.Second).Format(time.RFC3339)
	event := fmt.Sprintf(`{"version":"0","id":"e%d","detail-type":"DEPLOY","source":"action.%s","account":%q,`+
		`"time":%q,"region":%q,"resources":[],"detail":{"service":"backend","tag":%q,"force":true}}`,
		b.events, environment, accounts.Dev, at, accounts.Region, tag)
	response, err := host.Invoke(ctx, []byte(event))
	if err == nil && response.FunctionError != "" {
		err = fmt.Errorf("the function failed: %s", response.Payload)
	}
	return response, err
}

// updated returns when the last UpdateService was called.
func (b *bench) updated() (at time.Time, err error) {
	for _, c := range b.aws.Calls() {
		if c.Operation == "UpdateService" && c.Error == "" {
			at = c.Start
		}
	}
	if at.IsZero() {
		return at, fmt.Errorf("UpdateService was not called in %d calls", len(b.aws.Calls()))
	}
	return at, nil
}
