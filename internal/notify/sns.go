package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/outcome"
	"deployer/internal/signed"
)

// topic is an SNS topic whose subscriber is Amazon Q Developer in chat
// applications, which posts to Slack, Microsoft Teams or Chime.
type topic struct {
	arn    string
	client signed.Client
}

// newSNS returns the SNS topic of an environment file, nil if it has none. The
// topic is called in its own region, which may differ from that of config.
func newSNS(n environment.Notify, config aws.Config) Channel {
	if n.Topic == "" {
		return nil
	}
	if parsed, err := arn.Parse(n.Topic); err == nil {
		config.Region = parsed.Region
	}
	return &topic{n.Topic, signed.New(config)}
}

// Name implements [Channel].
func (t *topic) Name() string { return "sns " + t.arn }

// Send implements [Channel] with sns:Publish. Its error is a fault of package
// fault.
func (t *topic) Send(ctx context.Context, s Summary) error {
	text, err := json.Marshal(chatNotificationOf(s))
	if err != nil {
		return err
	}
	var out struct {
		ID string `xml:"PublishResult>MessageId"`
	}
	doing := fmt.Sprintf("publishing to SNS topic %q", t.arn)
	in := url.Values{"Action": {"Publish"}, "Version": {"2010-03-31"}, "TopicArn": {t.arn}, "Message": {string(text)}}
	err = t.client.Query(ctx, "sns", doing, in, &out)
	if err == nil && out.ID == "" {
		return fault.Incomplete(doing, "id of the message")
	}
	return err
}

// chatNotification is a custom notification of Amazon Q Developer in chat
// applications, which silently drops messages of any other form. See "Custom
// notifications" in its administrator guide.
type chatNotification struct {
	Version  string       `json:"version"` // 1.0
	Source   string       `json:"source"`  // custom
	Content  chatContent  `json:"content"`
	Metadata chatMetadata `json:"metadata"`
}

type chatContent struct {
	TextType    string   `json:"textType"` // client-markdown: the markup of the chat that shows the message
	Title       string   `json:"title"`
	Description string   `json:"description"`
	NextSteps   []string `json:"nextSteps,omitempty"`
	Keywords    []string `json:"keywords,omitempty"`
}

type chatMetadata struct {
	ThreadID          string            `json:"threadId,omitempty"` // groups start and end of one deployment
	Summary           string            `json:"summary"`
	EventType         string            `json:"eventType"`
	RelatedResources  []string          `json:"relatedResources,omitempty"`
	AdditionalContext map[string]string `json:"additionalContext,omitempty"`
}

// The maximum numbers of characters of a title, a name and a text.
const (
	chatMaxTitle = 140
	chatMaxName  = 300
	chatMaxText  = 1500
)

// chatNotificationOf renders a summary.
func chatNotificationOf(s Summary) chatNotification {
	return chatNotification{"1.0", "custom", chatContent{
		TextType:    "client-markdown",
		Title:       chatEscape(outcome.Line(s.Title, chatMaxTitle)),
		Description: chatDescription(s),
		NextSteps:   chatNextSteps(s),
		Keywords:    chatNames(s.Project, s.Environment, s.Service),
	}, chatMetadata{
		ThreadID:          chatEscape(outcome.Line(s.Thread, chatMaxName)),
		Summary:           chatEscape(outcome.Line(s.Message, chatMaxName)),
		EventType:         string(s.Kind),
		RelatedResources:  chatNames(s.Resources...),
		AdditionalContext: map[string]string{"project": s.Project, "environment": s.Environment},
	}}
}

// chatDescription returns a line for each fact. Values are formatted as code, in
// which no chat reads mentions or links.
func chatDescription(s Summary) string {
	var lines []string
	for _, r := range slices.Concat(s.Rows, []Row{s.Why, s.Tasks, s.Reason}) {
		if r.Value != "" {
			lines = append(lines, r.Label+": "+chatCode(r.Value))
		}
	}
	return strings.Join(lines, "\n")
}

func chatNextSteps(s Summary) (steps []string) {
	if s.Next != "" {
		steps = append(steps, "Continue: "+chatCode(s.Next))
	}
	if s.Undo != "" {
		steps = append(steps, "Roll back: "+chatCode(s.Undo))
	}
	for _, l := range s.Links {
		if l.Next {
			steps = append(steps, l.Label+": "+l.URL)
		}
	}
	return steps
}

// chatNames returns the names that are not empty, escaped.
func chatNames(names ...string) (some []string) {
	for _, s := range names {
		if s != "" {
			some = append(some, chatEscape(outcome.Line(s, chatMaxName)))
		}
	}
	return some
}

// chatEscape escapes a text that is not code, so that no chat reads a mention, a
// link or bold text in it.
func chatEscape(s string) string {
	markup := strings.NewReplacer("*", "", "~", "", "`", "'", "[", "(", "]", ")", "&", "&amp;", "<", "&lt;", ">",
		"&gt;")
	return markup.Replace(s)
}

// chatCode formats a text as code.
func chatCode(s string) string {
	s = withoutBackquotes(outcome.Line(s, chatMaxText))
	return "`" + strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s) + "`"
}
