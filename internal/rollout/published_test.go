package rollout

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"deployer/internal/ecsservice"
)

// publishedFamily is the family of the answers in testdata.
const publishedFamily = "arn:aws:ecs:us-east-1:333333333333:task-definition/myproject_service_prod:"

// publishedTarget is the service of the answers in testdata.
var publishedTarget = ecsservice.Target{File: "prod.yaml", Workload: "backend", Cluster: "myproject_cluster_prod",
	Service: "myproject_service_prod", Family: "myproject_service_prod", Container: "app"}

// publishedAccount answers as an account did: with the answers of DescribeServices in
// testdata, with given service deployments, and with revisions that have tags.
// It is an [aws.HTTPClient] without a network.
type publishedAccount struct {
	t         *testing.T
	answer    string                       // the name of the answer of DescribeServices
	tags      map[string]map[string]string // of revisions, by number; a revision without any was deleted
	list      string                       // the answer of ListServiceDeployments; "" if that is denied
	describe  string                       // and of DescribeServiceDeployments
	revisions string                       // and of DescribeServiceRevisions
	throttled bool                         // service deployments cannot be read
	inactive  map[string]bool              // numbers of revisions that were deregistered
	change    *strings.Replacer            // changes the answers of DescribeServices; nil for none
	services  *ecsservice.Client           // made at its first use
	handler   *Handler                     // handles all events; nil for one that is new for each
	known     map[string]handling          // what events led to in accounts that differ in tags only; nil for unknown
	written   int                          // calls of TagResource
	calls     []string

	mu sync.Mutex // held for each call: some come at the same time
}

// client returns a client of the account.
func (a *publishedAccount) client() *ecsservice.Client {
	if a.services == nil { // making one takes longer than a call
		a.services = ecsservice.New(aws.Config{Region: "us-east-1", HTTPClient: a,
			Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")})
	}
	return a.services
}

// Do answers a call.
func (a *publishedAccount) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	must(a.t, err)
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, operation)
	status, text := http.StatusOK, ""
	switch operation {
	case "DescribeServices":
		text = a.file(a.answer)
	case "DescribeTaskDefinition":
		status, text = a.revision(body)
	case "ListServiceDeployments":
		status, text = answerOf(a.list)
		if a.throttled {
			status, text = http.StatusBadRequest, `{"__type":"ThrottlingException","message":"Rate exceeded"}`
		}
	case "DescribeServiceDeployments":
		status, text = answerOf(a.describe)
	case "DescribeServiceRevisions":
		status, text = answerOf(a.revisions)
	case "ListTasks": // the published answers have no tasks
		text = `{"taskArns":[]}`
	case "TagResource":
		a.tag(body)
		text = "{}"
	default:
		a.t.Errorf("unexpected call of %s", operation)
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text))}, nil
}

// file returns the answer with a name.
func (a *publishedAccount) file(name string) string {
	text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	must(a.t, err)
	if a.change != nil {
		return a.change.Replace(string(text))
	}
	return string(text)
}

// answerOf returns an answer, or a denial if it is empty.
func answerOf(answer string) (status int, text string) {
	if answer == "" {
		return http.StatusBadRequest, `{"__type":"AccessDeniedException","message":"not authorized"}`
	}
	return http.StatusOK, answer
}

// revision answers DescribeTaskDefinition. A family's name stands for revision 12.
func (a *publishedAccount) revision(body []byte) (status int, text string) {
	var in struct{ TaskDefinition string }
	must(a.t, json.Unmarshal(body, &in))
	number := "12"
	if i := strings.LastIndexByte(in.TaskDefinition, ':'); i >= 0 {
		number = in.TaskDefinition[i+1:]
	}
	if a.tags[number] == nil {
		return http.StatusBadRequest, `{"__type":"ClientException","message":"Unable to describe task definition."}`
	}
	tags := []map[string]string{}
	for key, value := range a.tags[number] {
		tags = append(tags, map[string]string{"key": key, "value": value})
	}
	encoded, err := json.Marshal(tags)
	must(a.t, err)
	state := "ACTIVE"
	if a.inactive[number] {
		state = "INACTIVE"
	}
	return http.StatusOK, fmt.Sprintf(`{"taskDefinition":{"taskDefinitionArn":"%s%s",`+
		`"family":"myproject_service_prod","revision":%s,"status":%q,`+
		`"containerDefinitions":[{"name":"app","image":"image:v%s"}]},"tags":%s}`,
		publishedFamily, number, number, state, number, encoded)
}

// tag handles TagResource.
func (a *publishedAccount) tag(body []byte) {
	var in struct {
		ResourceArn string
		Tags        []struct{ Key, Value string }
	}
	must(a.t, json.Unmarshal(body, &in))
	number := in.ResourceArn[strings.LastIndexByte(in.ResourceArn, ':')+1:]
	a.written++
	for _, tag := range in.Tags {
		a.tags[number][tag.Key] = tag.Value
	}
}

// journalOf returns the tags of a revision of the deployer, for the event eN at
// minute N, with more tags.
func journalOf(number, previous int, more ...string) map[string]string {
	tags := map[string]string{
		"deployer:event-id":   fmt.Sprint("e", number),
		"deployer:event-time": fmt.Sprintf("2026-11-26T09:%02d:00Z", number%60),
		"deployer:source":     "action.production", "deployer:tag": fmt.Sprint("v", number),
		"deployer:previous": fmt.Sprint(publishedFamily, previous),
	}
	for i := 0; i < len(more); i += 2 {
		tags[more[i]] = more[i+1]
	}
	return tags
}
