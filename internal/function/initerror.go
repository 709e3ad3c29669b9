package function

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"deployer/internal/environment"
)

// initTimeout limits the report of a failed cold start.
const initTimeout = time.Second

// initFailed ends a cold start. It logs each fault, and reports all of them to
// Lambda's runtime API under an error type; Lambda fails the invocation with them.
func initFailed(api, errorType string, err error) (exit int) {
	var faults environment.Faults
	if !errors.As(err, &faults) {
		faults = environment.Faults{{File: environmentFile(), What: err.Error()}}
	}
	for _, f := range faults {
		slog.Error("cold start failed", "error", f.String(), "error_type", errorType)
	}
	body, err := json.Marshal(messages.InvokeResponse_Error{Message: faults.Error(), Type: errorType})
	if err != nil {
		return 1
	}
	url := "http://" + api + "/2018-06-01/runtime/init/error"
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 1
	}
	request.Header.Set("Lambda-Runtime-Function-Error-Type", errorType)
	client := http.Client{Timeout: initTimeout, Transport: &http.Transport{Proxy: nil}}
	response, err := client.Do(request)
	if err == nil {
		response.Body.Close()
	}
	return 1
}
