package reconcile

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/resolve"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// unreachable is an [aws.HTTPClient] that gets an answer or an error for each call of ECR in a region.
type unreachable struct {
	aws.HTTPClient
	region string
	answer func() (*http.Response, error)
	tried  *int
}

func (c unreachable) Do(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.Header.Get("Authorization"), "/"+c.region+"/ecr/") {
		*c.tried++
		return c.answer()
	}
	return c.HTTPClient.Do(r)
}

// TestOneRegistryUnreachable searches while one of two registries cannot be read: lost pushes to
// the other one are found, and the fault is returned beside them. With none that can be read, the
// search fails.
func TestOneRegistryUnreachable(t *testing.T) {
	t.Parallel()
	const looking = `looking for tag "latest" in ECR repository "myproject_service_web-api" of account 444444444444 ` +
		`in eu-west-1: `
	const sending = looking + "operation error ECR: DescribeImages, https response error StatusCode: 0, RequestID: , " +
		"request send failed, "
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connect: network is unreachable")}
	for _, tt := range []struct {
		name, err string
		answer    func() (*http.Response, error)
		attempts  int
	}{
		{"no connection", sending + "dial tcp: connect: network is unreachable",
			func() (*http.Response, error) { return nil, refused }, 3},
		{"no such host", sending + "lookup api.ecr.eu-west-1.amazonaws.com: no such host",
			func() (*http.Response, error) {
				return nil, &net.DNSError{Err: "no such host", Name: "api.ecr.eu-west-1.amazonaws.com",
					IsNotFound: true}
			}, 1},
		{"server error", looking + "ServerException: busy", func() (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusInternalServerError, Header: http.Header{}, Body: io.NopCloser(
				strings.NewReader(`{"__type":"ServerException","message":"busy"}`))}, nil
		}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "dev")
			text, err := os.ReadFile(f.env.File)
			if err != nil {
				t.Fatal(err)
			}
			own := strings.Replace(string(text), "  - name: web-api\n", "  - name: web-api\n    ecr_config: {mode: "+
				"manual_repo, "+
				"repository_uri: 444444444444.dkr.ecr.eu-west-1.amazonaws.com/myproject_service_web-api}\n", 1)
			if f.env, err = environment.Parse("dev.yaml", []byte(own)); err != nil {
				t.Fatal(err)
			}
			f.push(t, "myproject_service_worker", "v2", "latest")
			tried := 0
			config := f.accounts["dev"].With(func(c *aws.Config) {
				c.HTTPClient = unreachable{emulatortest.InProcess{AWS: f.aws}, "eu-west-1", tt.answer, &tried}
			}).Config
			got, err := New(resolve.New(config), ecsservice.New(config)).LostPushes(t.Context(), f.env, "s1")
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Requests) != 1 || got.Requests[0].Workload.Name != "worker" {
				t.Errorf("requests %+v", got.Requests)
			}
			if diff := cmp.Diff(tt.err, got.Err.Error()); diff != "" || !fault.IsUnavailable(got.Err) {
				t.Error(diff)
			}
			if tried != tt.attempts {
				t.Errorf("%d attempts, want %d", tried, tt.attempts)
			}
		})
	}
}

// TestNoRegistryReachable checks that the search fails if no registry can be read.
func TestNoRegistryReachable(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	f.aws.Inject(emulator.Fault{Operation: "ecr:DescribeImages", Error: emulator.ErrServerFault})
	got, err := f.reconciler.LostPushes(t.Context(), f.env, "s1")
	if !fault.IsUnavailable(err) || got.Err != nil || len(got.Requests) != 0 {
		t.Errorf("%+v, error %v", got, err)
	}
}
