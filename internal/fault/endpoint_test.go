package fault

import (
	"net/http/httptest"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// TestEndpointHint checks that a connection that is refused names the variable that sends calls
// elsewhere.
func TestEndpointHint(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	_, err := clientOf(server.URL, awshttp.NewBuildableClient()).ListClusters(t.Context(), nil)
	for url, want := range map[string]string{"": "", server.URL: "(AWS_ENDPOINT_URL is " + server.URL + ": "} {
		t.Setenv("AWS_ENDPOINT_URL", url)
		got := Classify("listing clusters", err).Error()
		if !strings.Contains(got, want) || want == "" && strings.Contains(got, "AWS_ENDPOINT_URL") {
			t.Errorf("%q: %s", url, got)
		}
	}
}
