package lambdahost_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"deployer/testbed/lambdahost"
)

// records collects the records that Options.OnFailure receives, which is never called concurrently.
func records(opts *lambdahost.Options) *[]lambdahost.Record {
	list := new([]lambdahost.Record)
	opts.OnFailure = func(r lambdahost.Record) { *list = append(*list, r) }
	return list
}

// deliver queues an event, waits until it is processed, and returns its request id.
func deliver(t *testing.T, host *lambdahost.Host, o command) string {
	t.Helper()
	id, err := host.InvokeAsync(event(t, o))
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestInvokeAsyncRecords(t *testing.T) {
	t.Parallel()
	const (
		failed = `{"version":"1.0","timestamp":"TIME","requestContext":{"requestId":"ID",` +
			`"functionArn":"arn:aws:lambda:eu-west-1:111122223333:function:deployer:$LATEST","condition":"CONDITION",` +
			`"approximateInvokeCount":COUNT},` +
			`"requestPayload":{"Do":"error"},"responseContext":{"statusCode":200,"executedVersion":"$LATEST",` +
			`"functionError":"Unhandled"},` +
			`"responsePayload":{"errorMessage":"the cluster is broken","errorType":"brokenError"}}`
		unseen = `{"version":"1.0","timestamp":"TIME","requestContext":{"requestId":"ID",` +
			`"functionArn":"arn:aws:lambda:eu-west-1:111122223333:function:deployer:$LATEST",` +
			`"condition":"EventAgeExceeded","approximateInvokeCount":0},` +
			`"requestPayload":{"Do":"error"}}`
		crashed = `{"version":"1.0","timestamp":"TIME","requestContext":{"requestId":"ID",` +
			`"functionArn":"arn:aws:lambda:eu-west-1:111122223333:function:deployer:$LATEST",` +
			`"condition":"RetriesExhausted","approximateInvokeCount":3},` +
			`"requestPayload":{"Do":"exit","Code":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST",` +
			`"functionError":"Unhandled"},` +
			`"responsePayload":{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited ` +
			`with error: exit status 1"}}`
	)
	retries := []time.Duration{time.Millisecond, 2 * time.Millisecond}
	tests := []struct {
		name    string
		command command
		waits   []time.Duration
		age     time.Duration
		posts   int // attempts with an answer in the transcript
		want    string
	}{
		{"success", command{Do: "echo"}, retries, 0, 1, ""},
		{"two retries", command{Do: "error"}, retries, 0, 3, strings.NewReplacer("CONDITION", "RetriesExhausted",
			"COUNT",
			"3").Replace(failed)},
		{"no retries", command{Do: "error"}, []time.Duration{}, 0, 1, strings.NewReplacer("CONDITION",
			"RetriesExhausted",
			"COUNT", "1").Replace(failed)},
		{"crashes", command{Do: "exit", Code: 1}, retries, 0, 0, crashed},
		{"too old for the second retry", command{Do: "error"}, []time.Duration{time.Millisecond, time.Hour}, time.Hour,
			2,
			strings.NewReplacer("CONDITION", "EventAgeExceeded", "COUNT", "2").Replace(failed)},
		{"too old for the default retry", command{Do: "error"}, nil, 59 * time.Second, 1,
			strings.NewReplacer("CONDITION",
				"EventAgeExceeded", "COUNT", "1").Replace(failed)},
		{"too old before the first attempt", command{Do: "error"}, retries, time.Nanosecond, 0, unseen},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			opts := options("handler")
			opts.RetryWaits, opts.MaxEventAge = tt.waits, tt.age
			list := records(&opts)
			host := start(t, opts)

			before := time.Now()
			id := deliver(t, host, tt.command)

			var got strings.Builder
			for _, r := range *list {
				at, err := time.Parse("2006-01-02T15:04:05.000Z", r.Timestamp)
				if err != nil || at.Before(before.Truncate(time.Millisecond)) || at.After(time.Now()) {
					t.Errorf("timestamp %q, want about now (%v)", r.Timestamp, err)
				}
				doc, err := json.Marshal(r)
				if err != nil {
					t.Fatal(err)
				}
				got.WriteString(strings.NewReplacer(id, "ID", r.Timestamp, "TIME").Replace(string(doc)))
			}
			equal(t, "record", got.String(), tt.want)

			posts := 0
			for _, r := range host.Requests() {
				if strings.HasPrefix(r.Path, "/2018-06-01/runtime/invocation/"+id+"/") { // the same id at every attempt
					posts++
				}
			}
			equal(t, "posts", posts, tt.posts)
		})
	}
}

// TestInvokeAsyncOrder: events run in their order, and Wait waits for all.
func TestInvokeAsyncOrder(t *testing.T) {
	t.Parallel()
	host := start(t, options("handler"))
	var want []string
	for _, text := range []string{"a", "b", "c", "d", "e", "f"} {
		if _, err := host.InvokeAsync(event(t, command{Do: "echo", Text: text})); err != nil {
			t.Fatal(err)
		}
		want = append(want, `{"Do":"echo","Text":"`+text+`"}`)
	}
	if err := host.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range host.Requests() {
		if r.Method == "POST" {
			got = append(got, r.Body)
		}
	}
	equal(t, "bodies", got, want)
	equal(t, "exits", exits(host), []string{""})
}

// TestOnFailureMayInvoke: OnFailure may invoke the function, as a redrive does.
func TestOnFailureMayInvoke(t *testing.T) {
	t.Parallel()
	opts := options("handler")
	opts.RetryWaits = []time.Duration{}
	var host *lambdahost.Host
	opts.OnFailure = func(lambdahost.Record) {
		if _, err := host.InvokeAsync([]byte(`{"Do":"echo"}`)); err != nil {
			t.Error(err)
		}
	}
	host = start(t, opts)

	deliver(t, host, command{Do: "error"})

	requests := host.Requests()
	equal(t, "last answer", requests[len(requests)-2].Body, `{"Do":"echo"}`)
}

func TestCloseDropsRetries(t *testing.T) {
	t.Parallel()
	opts := options("handler")
	list := records(&opts)
	host := start(t, opts) // with the default retry waits: a minute, then two
	if _, err := host.InvokeAsync(event(t, command{Do: "error"})); err != nil {
		t.Fatal(err)
	}
	invoke(t, host, command{Do: "echo"}) // the first attempt is over

	if err := host.Close(); err != nil {
		t.Fatal(err)
	}
	equal(t, "records", *list, []lambdahost.Record(nil))
	equal(t, "Wait", host.Wait(t.Context()), nil)
	equal(t, "Invoke after Close", sync1(host)([]byte("1")) == lambdahost.ErrClosed, true)
	equal(t, "InvokeAsync after Close", async1(host)([]byte("1")) == lambdahost.ErrClosed, true)
}
