package logs

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
)

// TestLast reads on after an empty answer, which does not mean that a stream has no lines, and ends at the token that
// was sent.
func TestLast(t *testing.T) {
	t.Parallel()
	const line = `{"timestamp":1000,"message":"last words"}`
	token := func(s string) string { return `{"events":[],"nextBackwardToken":"` + s + `"}` }
	for _, tt := range []struct {
		name    string
		answers []string
		want    []Line
		calls   int
	}{
		{"at once", []string{`{"events":[` + line + `],"nextBackwardToken":"b1"}`}, []Line{{time.Unix(1, 0).UTC(),
			"last words"}}, 1},
		{"after an empty answer", []string{`{"events":[],"nextBackwardToken":"b1"}`,
			`{"events":[` + line + `],"nextBackwardToken":"b2"}`}, []Line{{time.Unix(1, 0).UTC(), "last words"}}, 2},
		{"the end", []string{token("b1"), token("b1")}, nil, 2},
		{"always empty", []string{token("b1"), token("b2"), token("b3"), token("b4"), token("b5")}, nil, 5},
	} {
		calls := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			fmt.Fprint(w, tt.answers[calls])
			calls++
		}))
		config := aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(server.URL),
			Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}
		got, err := New(config, "g").Last(t.Context(), "s", 20)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil || calls != tt.calls {
			t.Errorf("%s: %v after %d calls (-want +got):\n%s", tt.name, err, calls, diff)
		}
		server.Close()
	}
}
