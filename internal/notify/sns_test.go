package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/testbed/aws/emulatortest"
)

// TestSNSMessages compares the messages exactly. UPDATE_GOLDEN=1 rewrites the
// files.
func TestSNSMessages(t *testing.T) {
	t.Parallel()
	for name, o := range outcomes(t) {
		if text := golden(t, "sns-"+name+".json", chatNotificationOf(Summarize(o))); strings.Contains(text, "<") {
			t.Errorf("%s: it may hold a command: %s", name, text)
		}
	}
}

const topicARN = "arn:aws:sns:us-east-1:333333333333:deployments"

// newTopic returns a topic behind an implementation of sns:Publish, which is called
// without a connection, and the parameters of each call.
func newTopic(t *testing.T, status int, body string) (Channel, *[]url.Values) {
	t.Helper()
	var published []url.Values
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		if signed := r.Header.Get("Authorization"); !strings.Contains(signed, "/us-east-1/sns/aws4_request") {
			t.Errorf("not signed for the region of the topic: %s", signed)
		}
		published = append(published, r.PostForm)
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
	config := configAt("http://aws.invalid", "eu-west-1")
	config.HTTPClient = emulatortest.InProcess{AWS: handler}
	return newSNS(environment.Notify{Topic: topicARN}, config), &published
}

func TestSNS(t *testing.T) {
	t.Parallel()
	to, published := newTopic(t, 200, `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
		<PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>`)
	if err := to.Send(t.Context(), Summarize(outcomes(t)["failed"])); err != nil || len(*published) != 1 {
		t.Fatal(err, *published)
	}
	got := (*published)[0]
	var message chatNotification
	if err := json.Unmarshal([]byte(got.Get("Message")), &message); err != nil {
		t.Fatal(err)
	}
	diff := cmp.Diff(chatNotificationOf(Summarize(outcomes(t)["failed"])), message)
	if diff != "" || got.Get("TopicArn") != topicARN || got.Get("Action") != "Publish" {
		t.Errorf("%v\n%s", got, diff)
	}
}

// TestSNSFaults checks that an error is a fault that names the topic, and that
// an outage is retried until the deadline.
func TestSNSFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, code string
		status     int
		retried    bool
		want       string
	}{
		{"denied", "AccessDenied", 403, false,
			"AccessDenied: why (AWS does not say what it denied: find the call in CloudTrail, " +
				"and allow it in the policy of the caller, which this prints: aws sts get-caller-identity)"},
		{"a server fault", "InternalFailure", 500, true, "InternalFailure: why"},
	} {
		synctest.Test(t, func(t *testing.T) {
			to, published := newTopic(t, tt.status, `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
				<Error><Code>`+tt.code+`</Code><Message>why</Message></Error></ErrorResponse>`)
			ctx, cancel := context.WithTimeout(t.Context(), maxNotifyTime)
			defer cancel()
			err := to.Send(ctx, Summarize(outcomes(t)["failed"]))
			want := fmt.Sprintf("publishing to SNS topic %q: %s", topicARN, tt.want)
			retried := len(*published) > 1
			if !strings.HasPrefix(fmt.Sprint(err), want) || retried != tt.retried || fault.NameOf(err) != tt.code {
				t.Errorf("%s: %d calls: %v, want %s", tt.name, len(*published), err, want)
			}
		})
	}
}
