package ecsservice

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

// TestReasonsOf checks what is said of stopped tasks.
func TestReasonsOf(t *testing.T) {
	t.Parallel()
	const deployment = "ecs-svc/1234567890123456789"
	at := time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC)
	task := func(code types.TaskStopCode, reason string, minute int, containers ...types.Container) types.Task {
		return types.Task{StartedBy: aws.String(deployment), StopCode: code, StoppedReason: aws.String(reason),
			StoppedAt: aws.Time(at.Add(time.Duration(minute) * time.Minute)), Containers: containers}
	}
	container := func(name string, code int32, reason string) types.Container {
		c := types.Container{Name: aws.String(name), ExitCode: aws.Int32(code), Reason: aws.String(reason)}
		if code < 0 {
			c.ExitCode = nil
		}
		return c
	}
	const pull = "CannotPullContainerError: pull image manifest has been retried 7 time(s): not found"
	noPull := task(types.TaskStopCodeTaskFailedToStart, pull, 1, container("app", -1, pull), container("nginx", -1, ""))
	exited := func(minute int, code int32, why string) types.Task {
		return task(types.TaskStopCodeEssentialContainerExited, "Essential container in task exited", minute,
			container("app", code, why))
	}
	secret := func(n, from string) types.Task {
		return task(types.TaskStopCodeTaskFailedToStart, "ResourceInitializationError: unable to pull secrets: User: "+
			"arn:aws:sts::111111111111:assumed-role/exec/0123456789abcdef0123456789abcde"+n+" is not authorized: "+
			"status code: 400, request id: 01234567-89ab-cdef-0123-456789abcde"+n+": read udp "+from+": no", 1)
	}
	for _, tt := range []struct {
		name  string
		tasks []types.Task
		want  []string
	}{
		{"none", nil, nil},
		{"an image that cannot be pulled", []types.Task{noPull, noPull, noPull}, []string{pull + " (3 tasks)"}},
		{"a container that exits", []types.Task{exited(1, 1, "")},
			[]string{"Essential container in task exited; container app exited with code 1"}},
		{"out of memory", []types.Task{exited(1, 137, "OutOfMemoryError: Container killed due to memory usage")},
			[]string{"Essential container in task exited; container app exited with code 137: OutOfMemoryError: " +
				"Container killed due to memory usage"}},
		{"a health check of a load balancer", []types.Task{task(types.TaskStopCodeServiceSchedulerInitiated,
			"Task failed ELB health checks in (target-group web)", 1, container("app", 143, ""))},
			[]string{"Task failed ELB health checks in (target-group web); container app exited with code 143"}},
		{"the most frequent first, then the newest", []types.Task{exited(1, 1, ""), exited(3, 3, ""), noPull, noPull},
			[]string{pull + " (2 tasks)", "Essential container in task exited; container app exited with code 3",
				"Essential container in task exited; container app exited with code 1"}},
		{"not more than three", []types.Task{exited(1, 1, ""), exited(2, 2, ""), exited(3, 3, ""), exited(4, 4, "")},
			[]string{"Essential container in task exited; container app exited with code 4",
				"Essential container in task exited; container app exited with code 3",
				"Essential container in task exited; container app exited with code 2"}},
		{"of tasks that differ in ids", []types.Task{secret("1", "10.0.1.7:4711"), secret("2", "10.0.2.9:4712")},
			[]string{*secret("1", "10.0.1.7:4711").StoppedReason + " (2 tasks)"}},
		{"a layer that cannot be read", []types.Task{task("", "CannotPullContainerError: failed to do request: Get "+
			`"https://prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com/a?X-Amz-Security-Token=`+
			strings.Repeat("T", 900)+`&X-Amz-Signature=5eed": dial tcp 52.216.1.2:443: i/o timeout`, 1)},
			[]string{`CannotPullContainerError: failed to do request: Get "https://prod-us-east-1-starport-layer-` +
				`bucket.s3.us-east-1.amazonaws.com/a?…": dial tcp 52.216.1.2:443: i/o timeout`}},
		{"without a reason", []types.Task{task(types.TaskStopCodeSpotInterruption, "", 1)},
			[]string{"SpotInterruption"}},
		{"nothing is known", []types.Task{task("", "", 1)}, nil},
		{"lines and control characters", []types.Task{task("", "a\n\x1b[31mb\u202ec", 1)}, []string{"a [31mb c"}},
		{"long", []types.Task{task("", "Cannot"+strings.Repeat("x", 5000)+": not found", 1)},
			[]string{"Cannot" + strings.Repeat("x", 293) + "…" + strings.Repeat("x", 139) + ": not found"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, reasonsOf(tt.tasks)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestStoppedReasonsOfLargeService: the tasks that failed are found behind pages of tasks that ECS stopped to scale or
// that are of another deployment, and no more pages are read than that.
func TestStoppedReasonsOfLargeService(t *testing.T) {
	t.Parallel()
	const deployment = "ecs-svc/2"
	pages := []string{
		`{"startedBy":"ecs-svc/1","stoppedReason":"old"}`,
		`{"startedBy":"ecs-svc/2","stopCode":"ServiceSchedulerInitiated",` +
			`"stoppedReason":"Scaling activity initiated by (deployment ecs-svc/3)"}`,
		`{"startedBy":"ecs-svc/2","stoppedReason":"OutOfMemoryError"}`,
		`{"startedBy":"ecs-svc/2","stoppedReason":"not read"}`,
	}
	for _, tt := range []struct {
		name  string
		first int // page
		want  []string
		calls int
	}{
		{"on the third page", 0, []string{"OutOfMemoryError"}, 6},
		{"on the first page", 3, []string{"not read"}, 2},
	} {
		var calls atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			text, _ := io.ReadAll(r.Body)
			var in struct {
				NextToken int `json:"nextToken,string"`
				Tasks     []string
			}
			_ = json.Unmarshal(text, &in)
			page := max(in.NextToken, tt.first)
			switch {
			case len(in.Tasks) > 0:
				page, _ = strconv.Atoi(in.Tasks[0])
				fmt.Fprintf(w, `{"tasks":[%s]}`, pages[page])
			case page+1 < len(pages):
				fmt.Fprintf(w, `{"taskArns":["%d"],"nextToken":"%d"}`, page, page+1)
			default:
				fmt.Fprintf(w, `{"taskArns":["%d"]}`, page)
			}
		}))
		t.Cleanup(server.Close)
		config := aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(server.URL),
			Credentials: credentials.NewStaticCredentialsProvider("k", "s", "")}
		got := New(config).StoppedReasons(t.Context(), Target{Service: "web"}, deployment)
		if diff := cmp.Diff(tt.want, got); diff != "" || int(calls.Load()) != tt.calls {
			t.Errorf("%s: %d calls, want %d %s", tt.name, calls.Load(), tt.calls, diff)
		}
	}
}
