package sns

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/fault"
	"deployer/internal/notify/notifytest"
	"deployer/internal/outcome"
)

// outcomes are one of every kind, and a hostile one.
func outcomes(t *testing.T) map[string]outcome.Outcome {
	t.Helper()
	return notifytest.Outcomes(t, "../..", "\"quoted\"\n*Project:* other <!channel> <https://evil.example|the console> [the console](https://evil.example) & `code` \u202eesrever")
}

// TestNotifications holds the messages to the letter. UPDATE_GOLDEN=1 rewrites
// the files.
func TestNotifications(t *testing.T) {
	t.Parallel()
	for name, o := range outcomes(t) {
		if text := notifytest.Golden(t, name+".json", notification(o)); strings.Contains(text, "<") {
			t.Errorf("%s: there may be a command in it: %s", name, text)
		}
	}
}

// topic returns a topic behind a server that speaks as much of SNS's protocol
// as Publish needs, and what was published.
func topic(t *testing.T, status int, body string) (*Topic, *[]url.Values) {
	t.Helper()
	var published []url.Values
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		if signed := r.Header.Get("Authorization"); !strings.Contains(signed, "/us-east-1/sns/aws4_request") {
			t.Errorf("signed for another region than the topic's: %s", signed)
		}
		published = append(published, r.PostForm)
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	config := aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String(server.URL), Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "any"}, nil
	})}
	return New(config, "arn:aws:sns:us-east-1:333333333333:deployments"), &published
}

func TestNotify(t *testing.T) {
	t.Parallel()
	to, published := topic(t, 200, `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>`)
	if err := to.Notify(t.Context(), outcomes(t)["failed"]); err != nil || len(*published) != 1 {
		t.Fatal(err, *published)
	}
	got := (*published)[0]
	var message custom
	if err := json.Unmarshal([]byte(got.Get("Message")), &message); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(notification(outcomes(t)["failed"]), message); diff != "" || got.Get("TopicArn") != "arn:aws:sns:us-east-1:333333333333:deployments" || got.Get("Action") != "Publish" {
		t.Errorf("%v\n%s", got, diff)
	}
}

// TestNotifyRefused holds that a refusal is a fault that says where, and that
// what passes is tried again until the time is over.
func TestNotifyRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, code string
		status     int
		again      bool
		want       string
	}{
		{"denied", "AccessDenied", 403, false, `publishing to SNS topic "arn:aws:sns:us-east-1:333333333333:deployments": AccessDenied: why (allow it in the IAM policy of the caller named above)`},
		{"a server fault", "InternalFailure", 500, true, `publishing to SNS topic "arn:aws:sns:us-east-1:333333333333:deployments": InternalFailure: why`},
	} {
		to, published := topic(t, tt.status, `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Code>`+tt.code+`</Code><Message>why</Message></Error></ErrorResponse>`)
		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
		defer cancel()
		err := to.Notify(ctx, outcomes(t)["failed"])
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) || (len(*published) > 1) != tt.again || fault.NameOf(err) != tt.code {
			t.Errorf("%s: %d calls: %v, want %s", tt.name, len(*published), err, tt.want)
		}
	}
}
