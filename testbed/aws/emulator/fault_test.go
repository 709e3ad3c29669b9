package emulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// call makes a call whose connection may be dropped, and returns its status and error, or "dropped".
func call(t *testing.T, w *emulatortest.Env, key, name string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL, strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+name)
	request.Header.Set("Authorization", emulatortest.Authorization(key, "us-east-1", "ecs"))
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return "dropped"
	}
	defer response.Body.Close()
	var answer struct {
		Type string `json:"__type"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", response.StatusCode, answer.Type))
}

func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		faults []emulator.Fault
		want   []string // of CreateCluster, ListClusters, CreateCluster, ListClusters as dev
	}{
		{"none", nil, []string{"200", "200", "200", "200"}},
		{"one operation", []emulator.Fault{{Operation: "ecs:ListClusters", Error: emulator.ErrThrottled}},
			[]string{"200", "400 ThrottlingException", "200", "400 ThrottlingException"}},
		{"a service", []emulator.Fault{{Operation: "ecs:*", Error: emulator.ErrServerFault}},
			[]string{"500 ServerException", "500 ServerException", "500 ServerException", "500 ServerException"}},
		{"another service", []emulator.Fault{{Operation: "ecr:*", Error: emulator.ErrServerFault}},
			[]string{"200", "200", "200", "200"}},
		{"another role", []emulator.Fault{{Operation: "*", Role: "Deployer", Error: emulator.ErrServerFault}},
			[]string{"200", "200", "200", "200"}},
		{"all, twice", []emulator.Fault{{Operation: "*", Times: 2, Error: emulator.ErrUnavailable}},
			[]string{"503 ServiceUnavailableException", "503 ServiceUnavailableException", "200", "200"}},
		{"the second", []emulator.Fault{{Operation: "*", Skip: 1, Times: 1, Error: emulator.AccessDenied("no")}},
			[]string{"200", "400 AccessDeniedException", "200", "200"}},
		{"from the third on", []emulator.Fault{{Operation: "*", Skip: 2, Error: emulator.ErrConcurrentRevisions}},
			[]string{"200", "200", "400 ClientException", "400 ClientException"}},
		{"another account", []emulator.Fault{{Operation: "*", Account: prod, Error: emulator.ErrThrottled}},
			[]string{"200", "200", "200", "200"}},
		{"a dropped connection", []emulator.Fault{{Operation: "*", Skip: 1, Times: 1, Drop: emulator.DropBefore}},
			[]string{"200", "dropped", "200", "200"}},
		{"one after the other", []emulator.Fault{{Operation: "*", Times: 1, Error: emulator.ErrThrottled},
			{Operation: "*", Times: 1, Error: emulator.ErrServerFault}}, []string{"400 ThrottlingException",
			"500 ServerException", "200", "200"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			for _, f := range tt.faults {
				w.AWS.Inject(f)
			}
			var got []string
			for _, operation := range []string{"CreateCluster", "ListClusters", "CreateCluster", "ListClusters"} {
				got = append(got, call(t, w, dev, operation))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
			w.AWS.ClearFaults()
			if got := call(t, w, dev, "ListClusters"); got != "200" {
				t.Errorf("after ClearFaults: %s", got)
			}
		})
	}
}

// TestDroppedCalls: a call takes effect with DropAfter, not with DropBefore.
func TestDroppedCalls(t *testing.T) {
	t.Parallel()
	for drop, want := range map[emulator.Drop]string{
		emulator.DropBefore: `{"clusterArns":[]}`,
		emulator.DropAfter:  `{"clusterArns":["arn:aws:ecs:us-east-1:111111111111:cluster/default"]}`,
	} {
		t.Run(drop.String(), func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			w.AWS.Inject(emulator.Fault{Operation: "ecs:CreateCluster", Drop: drop})
			if got := call(t, w, dev, "CreateCluster"); got != "dropped" {
				t.Errorf("got %s, want a dropped connection", got)
			}
			if got := w.Do(t, dev, "ecs:ListClusters", `{}`); got != want {
				t.Errorf("clusters %s, want %s", got, want)
			}
			if got := w.AWS.Calls()[0].Error; got != drop.String() {
				t.Errorf("recorded as %q, want %q", got, drop)
			}
		})
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	const latency = 30 * time.Millisecond
	w.AWS.Inject(emulator.Fault{Operation: "ecs:ListClusters", Latency: latency})
	w.Do(t, dev, "ecs:ListClusters", `{}`)
	c := w.AWS.Calls()[0]
	if took := c.End.Sub(c.Start); took < latency {
		t.Errorf("the call took %v, want at least %v", took, latency)
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.Do(t, dev, "ecs:CreateCluster", `{"clusterName":"c"}`)
	w.AWS.ResetCalls()
	w.AWS.SetRolePolicy(prod, "Deployer", emulatortest.Policy(t, emulatortest.Allow("ecs:DescribeServices", "*")))
	w.Raw(t, prod+"-Deployer", "ecs:DescribeServices", `{"cluster":"c","services":["web","api"]}`)
	w.Raw(t, "unknown", "ecr:BatchGetImage", `{`)
	if _, err := w.STS(dev).GetCallerIdentity(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	got := w.AWS.Calls()
	for i := range got {
		if got[i].End.Before(got[i].Start) {
			t.Errorf("call %d ended before it began", i)
		}
		got[i].Start, got[i].End = time.Time{}, time.Time{}
	}
	want := []emulator.Call{{
		Account: prod, Role: "Deployer", Region: "us-east-1", Service: "ecs", Operation: "DescribeServices",
		Resources: []string{"arn:aws:ecs:us-east-1:333333333333:service/c/web",
			"arn:aws:ecs:us-east-1:333333333333:service/c/api"},
		Body: json.RawMessage(`{"cluster":"c","services":["web","api"]}`), Error: "ClusterNotFoundException",
	}, {
		Service: "ecr", Operation: "BatchGetImage", Body: json.RawMessage(`"{"`), Error: "UnrecognizedClientException",
	}, {
		Account: dev, Region: "us-east-1", Service: "sts", Operation: "GetCallerIdentity",
		Body: json.RawMessage(`"Action=GetCallerIdentity\u0026Version=2011-06-15"`),
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// TestCallsThatOverlap: calls are recorded in the order in which they began.
func TestCallsThatOverlap(t *testing.T) {
	t.Parallel()
	began, release := make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	w := emulatortest.Serve(t, emulator.New(emulator.Options{Clock: func() time.Time {
		if first.CompareAndSwap(false, true) {
			close(began)
			<-release
		}
		return emulatortest.StartTime
	}}))
	done := make(chan string)
	go func() { done <- call(t, w, dev, "ListClusters") }()
	<-began
	if got := call(t, w, prod, "ListClusters"); got != "200" {
		t.Errorf("the second: %s", got)
	}
	close(release)
	if got := <-done; got != "200" {
		t.Errorf("the first: %s", got)
	}
	var got []string
	for _, c := range w.AWS.Calls() {
		got = append(got, c.Account)
	}
	if diff := cmp.Diff([]string{dev, prod}, got); diff != "" {
		t.Errorf("callers (-want +got):\n%s", diff)
	}
}
