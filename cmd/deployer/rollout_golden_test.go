package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/api"
)

// prodFunction is the ARN of prod's function, and prodSender what its role sends messages as.
const prodFunction = "arn:aws:lambda:us-east-1:" + accounts.Prod + ":function:myproject_deployer_prod"

var prodSender = api.RoleID(accounts.Prod, "myproject_deployer_prod") + ":" + api.SessionName

// golden compares what the function of prod published and wrote with the file
// testdata/rollouts/NAME.golden. UPDATE_GOLDEN=1 rewrites the file.
func (s *scenario) golden(t *testing.T, name string) {
	t.Helper()
	got := s.report(t)
	for _, request := range s.aws.UnknownOperations() {
		t.Errorf("the emulator does not have the operation %s", request)
	}
	file := filepath.Join("testdata", "rollouts", name+".golden")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s\nlog:\n%s", file, diff, s.logs)
	}
}

// report renders the outcomes, the messages in the failure queue, the journals and
// the metrics. It reports an error if an outcome was not sent once to every channel,
// or if the planted secret appears anywhere.
//
// Three things are shortened: REGISTRY/ stands for the registry's host, REVISION:3
// for the ARN of revision 3 of the backend, and DIGEST(v2) for the digest of the
// image that was pushed as v2. A member of an outcome with its usual value is left
// out, see [unusual].
func (s *scenario) report(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	events := s.outcomes(t)
	fmt.Fprintln(&b, "-- events --")
	for _, e := range events {
		b.WriteString(e.String())
	}
	fmt.Fprintln(&b, "-- failure queue --")
	for _, m := range s.aws.Queue("arn:aws:sqs:us-east-1:333333333333:myproject_deployer_failed_prod") {
		var kept struct {
			Kind, Function, Outcome string
			Detail                  struct{ Event json.RawMessage }

			RequestContext *struct{ Condition string }
			RequestPayload json.RawMessage
		}
		must(t, json.Unmarshal(m.Body, &kept))
		if kept.RequestContext != nil {
			fmt.Fprintf(&b, "%s: %s\n", kept.RequestContext.Condition, kept.RequestPayload)
			continue
		}
		if kept.Kind != "deployer.kept-event" || kept.Function != prodFunction || m.SenderID != prodSender {
			t.Errorf("%s sent %s", m.SenderID, m.Body)
		}
		fmt.Fprintf(&b, "%s: %s\n", kept.Outcome, kept.Detail.Event)
	}
	fmt.Fprintln(&b, "-- journals --")
	b.WriteString(s.journals(t))
	fmt.Fprintln(&b, "-- metrics --")
	b.WriteString(s.metrics(t))
	s.checkChannels(t, events)
	if all := b.String() + s.logs.String(); strings.Contains(all, planted) {
		t.Errorf("the secret was published or logged:\n%s", all)
	}
	return s.steady(b.String())
}

// journals returns the deployer's tags of every revision of the backend.
func (s *scenario) journals(t *testing.T) string {
	t.Helper()
	family := &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String(prodBackend)}
	list, err := s.prod.ECS.ListTaskDefinitions(t.Context(), family)
	must(t, err)
	var b strings.Builder
	for _, arn := range list.TaskDefinitionArns {
		revision := &ecs.ListTagsForResourceInput{ResourceArn: aws.String(arn)}
		out, err := s.prod.ECS.ListTagsForResource(t.Context(), revision)
		must(t, err)
		var tags []string
		for _, tag := range out.Tags {
			tags = append(tags, "  "+*tag.Key+" = "+*tag.Value)
		}
		slices.Sort(tags)
		fmt.Fprintln(&b, arn[strings.LastIndexByte(arn, '/')+1:])
		for _, tag := range tags {
			fmt.Fprintln(&b, tag)
		}
	}
	return b.String()
}

// metrics returns a line for each metric line in the log: the outcome if it has one,
// and the values. The format is tested in the package that writes it.
func (s *scenario) metrics(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(s.logs.String()) {
		if !strings.Contains(line, "CloudWatchMetrics") {
			continue
		}
		var embedded struct {
			AWS struct {
				CloudWatchMetrics []struct{ Metrics []struct{ Name string } }
			} `json:"_aws"`
		}
		values := map[string]any{}
		must(t, json.Unmarshal([]byte(line), &embedded))
		must(t, json.Unmarshal([]byte(line), &values))
		var words []string
		if outcome, ok := values["Outcome"].(string); ok {
			words = append(words, outcome)
		}
		for _, metric := range embedded.AWS.CloudWatchMetrics[0].Metrics {
			words = append(words, fmt.Sprintf("%s=%v", metric.Name, values[metric.Name]))
		}
		fmt.Fprintln(&b, strings.Join(words, " "))
	}
	return b.String()
}

// checkChannels reports an error unless each outcome was sent once to the topic and
// once to Slack, under the same title and without the planted secret. How a message
// looks is tested in internal/notify.
func (s *scenario) checkChannels(t *testing.T, events []publishedEvent) {
	t.Helper()
	var outcomes, summaries, titles []string
	for _, e := range events {
		outcomes = append(outcomes, e.DetailType+": "+e.outcome["message"].(string))
	}
	published := s.aws.Published(s.topic)[s.setupMessages:]
	for _, body := range published {
		var message struct {
			Content  struct{ Title string }
			Metadata struct{ EventType, Summary string }
		}
		must(t, json.Unmarshal([]byte(body), &message))
		summaries = append(summaries, message.Metadata.EventType+": "+message.Metadata.Summary)
		titles = append(titles, message.Content.Title)
	}
	s.mu.Lock()
	requests := slices.Clone(s.slack)
	s.mu.Unlock()
	var texts []string
	for _, body := range requests {
		var request struct{ Text string }
		must(t, json.Unmarshal([]byte(body), &request))
		texts = append(texts, request.Text)
	}
	paired(t, "outcomes and messages to the topic", outcomes, summaries, func(outcome, summary string) bool {
		start, cut := strings.CutSuffix(summary, "…")
		return outcome == summary || cut && strings.HasPrefix(outcome, start)
	})
	paired(t, "titles of messages to the topic and texts for Slack", titles, texts, func(title, text string) bool {
		return text == title || strings.HasPrefix(text, title+": ")
	})
	if strings.Contains(strings.Join(append(requests, published...), "\n"), planted) {
		t.Errorf("the secret was sent: %s\n%s", published, requests)
	}
}

// paired reports an error unless each element of a matches another element of b, and
// none is left over.
func paired(t *testing.T, what string, a, b []string, match func(string, string) bool) {
	t.Helper()
	rest := slices.Clone(b)
	for _, one := range a {
		i := slices.IndexFunc(rest, func(other string) bool { return match(one, other) })
		if i < 0 {
			t.Errorf("%s: nothing matches %q in %q", what, one, b)
			continue
		}
		rest = slices.Delete(rest, i, i+1)
	}
	if len(rest) > 0 {
		t.Errorf("%s: %q match nothing", what, rest)
	}
}

var (
	anyTime  = regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z`)
	measured = regexp.MustCompile(`((?m:^  seconds: )|Seconds=)(?:\d+\.\d+|\d\b)`)
	anyID    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|` +
		`ecs-svc/\d{19}|ecs-pause-[0-9A-Za-z_-]{43}`)
	anyHash = regexp.MustCompile(`(?m)(^  deployer:hooks =| HASH) [0-9a-f]{8}`)
)

// steady replaces what differs from run to run: times by the time since the start,
// and ids by numbers in order of appearance. A rejection's seconds, which the real
// clock measures, become 0: they have a fraction, or are few. Rollouts take ten seconds or more.
func (s *scenario) steady(text string) string {
	text = anyTime.ReplaceAllStringFunc(text, func(match string) string {
		at, err := time.Parse(time.RFC3339Nano, match)
		if err != nil {
			return match
		}
		return "T" + at.Sub(s.start).Round(time.Second).String()
	})
	text = measured.ReplaceAllString(text, "${1}0")
	for anyHash.MatchString(text) { // hashes of ids
		text = anyHash.ReplaceAllString(text, "$1 HASH")
	}
	for digest, tag := range s.pushed {
		text = strings.ReplaceAll(text, digest, "DIGEST("+tag+")")
	}
	text = strings.NewReplacer("111111111111.dkr.ecr.us-east-1.amazonaws.com/", "REGISTRY/",
		"arn:aws:ecs:us-east-1:333333333333:task-definition/"+prodBackend+":", "REVISION:").Replace(text)
	ids := map[string]string{}
	return anyID.ReplaceAllStringFunc(text, func(id string) string {
		if ids[id] == "" {
			ids[id] = fmt.Sprintf("ID-%d", len(ids)+1)
		}
		if strings.HasPrefix(id, "ecs-svc/") {
			return "ecs-svc/" + ids[id]
		}
		return ids[id]
	})
}

// TestGoldenFiles checks that each scenario has a golden file of its own, that no
// file is left over, and that no two have the same content.
func TestGoldenFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/rollouts/*.golden")
	must(t, err)
	var names []string
	byContent := map[string]string{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".golden")
		names = append(names, name)
		content, err := os.ReadFile(file)
		must(t, err)
		if other := byContent[string(content)]; other != "" {
			t.Errorf("%s and %s have the same golden file: one scenario is enough", other, name)
		}
		byContent[string(content)] = name
	}
	slices.Sort(names)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(rolloutScenarios)), names); diff != "" {
		t.Errorf("scenarios and golden files differ (-scenarios +files):\n%s", diff)
	}
}
