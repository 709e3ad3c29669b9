package notify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestParameter reads secrets of every form from a server that implements
// ssm:GetParameter. No error quotes a part of a secret.
func TestParameter(t *testing.T) {
	t.Parallel()
	const planted = "https://hooks.example/services/T0/B0/planted"
	value := func(s string) string {
		p := map[string]string{"Name": "/myproject/slack", "Type": "SecureString", "Value": s}
		text, err := json.Marshal(map[string]any{"Parameter": p})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	const (
		reading  = `reading the webhook from SSM parameter "/myproject/slack": `
		noString = `the value is a JSON object without a string under "url"`
		missing  = "ParameterNotFound (create it with the infrastructure, or name the right one in the " +
			"environment file)"
		denied = "AccessDeniedException: User: u is not authorized (AWS does not say what it denied: find the call " +
			"in CloudTrail, and allow it in the policy of the caller, which this prints: aws sts get-caller-identity)"
	)
	const hint = ` (put the webhook's address into it, alone or as {"url": "https://…"})`
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   string
		err    string
	}{
		{"alone", 200, value(planted + "\n"), planted, ""},
		{"of keys and values", 200, value(`{"url": "` + planted + `"}`), planted, ""},
		{"under another key", 200, value(`{"URL2": "` + planted + `"}`), "", reading + noString + hint},
		{"cut off", 200, value(`{"url": "` + planted), "", reading + "the value starts with { but is not valid JSON" +
			hint},
		{"nothing", 200, `{}`, "", reading + "the value is empty" + hint},
		{"not there", 400, `{"__type": "ParameterNotFound"}`, "",
			reading + missing},
		{"denied", 400, `{"__type": "AccessDeniedException", "message": "User: u is not authorized"}`, "",
			reading + denied},
	} {
		calls := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var in struct {
				Name           string
				WithDecryption bool
			}
			err := json.NewDecoder(r.Body).Decode(&in)
			if err != nil || in.Name != "/myproject/slack" || !in.WithDecryption ||
				r.Header.Get("X-Amz-Target") != "AmazonSSM.GetParameter" {
				t.Errorf("%s: %v, %v, %v", tt.name, r.Header, in, err)
			}
			calls++
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.WriteHeader(tt.status)
			fmt.Fprint(w, tt.body)
		}))
		defer server.Close()
		source := parameter(configAt(server.URL, "us-east-1"), "/myproject/slack")
		if calls != 0 {
			t.Errorf("%s: the parameter is read before it is needed", tt.name)
		}
		got, err := source(t.Context())
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got != tt.want || text != tt.err || calls != 1 || strings.Contains(text, "planted") {
			t.Errorf("%s: %q after %d calls\nerror %s\nwant  %s", tt.name, got, calls, text, tt.err)
		}
	}
}
