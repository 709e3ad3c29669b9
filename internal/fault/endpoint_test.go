package fault

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// TestEndpointHint checks that a connection that is refused names the setting that sends calls
// elsewhere: the variable of the service before that of all.
func TestEndpointHint(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	_, err := clientOf(server.URL, awshttp.NewBuildableClient()).ListClusters(t.Context(), nil)
	host := strings.TrimPrefix(server.URL, "http://")
	file := "calls go to " + host + " instead of to AWS: see endpoint_url in AWS's configuration file"
	const rest = ": calls go there instead of to AWS; unset it if that is wrong"
	for _, tt := range []struct{ all, ecs, ecr, ignored, want string }{
		{want: file},
		{all: server.URL, want: "AWS_ENDPOINT_URL is " + server.URL + rest},
		{all: "http://elsewhere", ecs: server.URL, want: "AWS_ENDPOINT_URL_ECS is " + server.URL + rest},
		{all: server.URL, ecr: "http://elsewhere", want: "AWS_ENDPOINT_URL is " + server.URL + rest},
		{ecr: "http://elsewhere", want: file},
		{all: "http://elsewhere", ecs: "http://elsewhere", ignored: "true", want: file},
	} {
		t.Setenv("AWS_ENDPOINT_URL", tt.all)
		t.Setenv("AWS_ENDPOINT_URL_ECS", tt.ecs)
		t.Setenv("AWS_ENDPOINT_URL_ECR", tt.ecr)
		t.Setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", tt.ignored)
		got := Classify("listing clusters", err).Error()
		if !strings.HasSuffix(got, " ("+tt.want+")") {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

// TestEndpointHintOfAWS checks that a connection to AWS that cannot be made has no such hint.
func TestEndpointHintOfAWS(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", "")
	t.Setenv("AWS_ENDPOINT_URL_ECS", "")
	_, err := clientOf("http://192.0.2.1:0", awshttp.NewBuildableClient()).ListClusters(t.Context(), nil)
	if got := Classify("listing clusters", err).Error(); strings.Contains(got, "instead of to AWS") {
		t.Error(got)
	}
}

// TestEndpointHintOfRequest checks the same of a request that no SDK client made: its address says which variable it
// is.
func TestEndpointHintOfRequest(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	_, err := http.Get(server.URL + "/")
	t.Setenv("AWS_ENDPOINT_URL", "http://elsewhere")
	t.Setenv("AWS_ENDPOINT_URL_ECS", "http://other")
	t.Setenv("AWS_ENDPOINT_URL_STS", server.URL)
	const rest = ": calls go there instead of to AWS; unset it if that is wrong)"
	want := "(AWS_ENDPOINT_URL_STS is " + server.URL + rest
	if got := Classify("asking STS", err).Error(); !strings.HasSuffix(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}
