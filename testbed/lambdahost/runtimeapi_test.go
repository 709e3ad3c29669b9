package lambdahost_test

import (
	"fmt"
	"strings"
	"testing"

	"deployer/testbed/lambdahost"
)

// TestRequests shows the transcript of a bootstrap built with aws-lambda-go.
func TestRequests(t *testing.T) {
	t.Parallel()
	host := start(t, options("handler"))
	equal(t, "before the first invocation", host.Requests(), []lambdahost.Request{})

	ids := strings.NewReplacer(
		invoke(t, host, command{Do: "echo"}).RequestID, "ID1",
		invoke(t, host, command{Do: "error"}).RequestID, "ID2",
		invoke(t, host, command{Do: "exit", Code: 1}).RequestID, "ID3",
		invoke(t, host, command{Do: "echo", Text: "again"}).RequestID, "ID4",
	)

	equal(t, "requests", transcript(host, ids), []string{
		`1 GET /2018-06-01/runtime/invocation/next 200`,
		`1 POST /2018-06-01/runtime/invocation/ID1/response 202 {"Do":"echo"}`,
		`1 GET /2018-06-01/runtime/invocation/next 200`,
		`1 POST /2018-06-01/runtime/invocation/ID2/error 202 {"errorMessage":"the cluster is broken",` +
			`"errorType":"brokenError"}`,
		`1 GET /2018-06-01/runtime/invocation/next 200`,
		`2 GET /2018-06-01/runtime/invocation/next 200`,
		`2 POST /2018-06-01/runtime/invocation/ID4/response 202 {"Do":"echo","Text":"again"}`,
		`2 GET /2018-06-01/runtime/invocation/next 0`,
	})
}

func transcript(host *lambdahost.Host, ids *strings.Replacer) []string {
	var list []string
	for _, r := range host.Requests() {
		list = append(list, ids.Replace(r.String()))
	}
	return list
}

// TestRequestsOutOfTurn shows the transcript of a runtime whose requests are errors, and the answers.
func TestRequestsOutOfTurn(t *testing.T) {
	t.Parallel()
	host, logs := startLogged(t, "raw", 1)

	r := invoke(t, host, command{})

	equal(t, "payload", string(r.Payload), `"good"`)
	equal(t, "requests", transcript(host, strings.NewReplacer(r.RequestID, "ID")), []string{
		`1 POST /2018-06-01/runtime/invocation/early/response 403 1`,
		`1 GET /2018-06-01/runtime/invocation/next 200`,
		`1 GET /2018-06-01/runtime/invocation/next 403`,
		`1 POST /2018-06-01/runtime/init/error 403 {}`,
		`1 POST /2018-06-01/runtime/invocation/another/response 400 2`,
		`1 POST /2018-06-01/runtime/invocation/another/error 400 {}`,
		`1 GET /2018-06-01/runtime/invocation/ID/response 404`,
		`1 GET /2018-06-01/ping 404`,
		`1 POST /2018-06-01/runtime/invocation/ID/response 202 "good"`,
		`1 POST /2018-06-01/runtime/invocation/ID/error 403 {}`,
		`1 GET /2018-06-01/runtime/invocation/next 0`,
	})
	const forbidden = `{"errorMessage":"State transition is not allowed: %s","errorType":"InvalidStateTransition"}`
	const invalidID = `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`
	equal(t, "answers", logs.got(), []string{
		fmt.Sprintf(forbidden, "there is no invocation to answer"),
		fmt.Sprintf(forbidden, "the current invocation has no response yet, or another request for the next one is "+
			"open"),
		fmt.Sprintf(forbidden, "the initialization is over"),
		invalidID,
		invalidID,
		"404 page not found",
		"404 page not found",
		`{"status":"OK"}`,
		fmt.Sprintf(forbidden, "the invocation has its response already"),
	})
}
