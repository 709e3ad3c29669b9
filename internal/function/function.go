package function

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	stdlog "log"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"deployer/internal/awsconfig"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/pipeline"
)

// Serve is the Lambda function: it reads the environment file once, at the
// cold start, and then handles one event after the other. It returns only when
// the cold start fails.
func Serve(api string) (exit int) {
	slog.SetDefault(lambdacontext.NewLogger())
	stdlog.SetOutput(runtimeLog{})
	file := environmentFile()
	env, err := environment.Load(file)
	if err != nil {
		return initFailed(api, "Deployer.EnvironmentFile", err)
	}
	for _, w := range env.Warnings {
		slog.Warn("reading the environment file", "warning", w.String())
	}
	config, err := awsconfig.Load(context.Background(), env.Region)
	if err != nil {
		return initFailed(api, "Deployer.Configuration", err)
	}
	lambda.Start(handler{pipeline.NewFunction(env, config, os.Stdout)})
	return 0
}

// environmentFile returns the path of the environment file: what
// DEPLOYER_ENVIRONMENT_FILE says, by default environment.yaml, beside the bootstrap.
func environmentFile() string {
	file := os.Getenv("DEPLOYER_ENVIRONMENT_FILE")
	if file == "" {
		file = "environment.yaml"
	}
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(os.Getenv("LAMBDA_TASK_ROOT"), file)
}

// handler takes events raw: what is not JSON is for the pipeline to reject, not
// for the runtime to fail on.
type handler struct{ *pipeline.Pipeline }

// Invoke implements [lambda.Handler]. An error goes out under its own name, so
// that the function's record says "AccessDenied" and not "Misconfiguration".
func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	defer func() {
		if cause := recover(); cause != nil {
			slog.ErrorContext(ctx, "the deployer panicked", "error", fmt.Sprint(cause), "stack", string(debug.Stack()))
			panic(cause) // the runtime's client answers Lambda, and ends the process
		}
	}()
	result, err := h.Handle(ctx, payload)
	if err != nil {
		slog.ErrorContext(ctx, "invocation failed", "error", err.Error(), "error_type", fault.NameOf(err))
		return nil, messages.InvokeResponse_Error{Message: err.Error(), Type: fault.NameOf(err)}
	}
	return json.Marshal(result)
}

// runtimeLog takes what the runtime's client says through the standard library's
// log. It repeats every error that it answers, without the request's id; the
// handler has logged that better. The rest is about the runtime itself.
type runtimeLog struct{}

func (runtimeLog) Write(line []byte) (int, error) {
	if !bytes.HasPrefix(line, []byte(`{"errorMessage":`)) {
		slog.Error("speaking to Lambda's runtime", "error", string(bytes.TrimSpace(line)))
	}
	return len(line), nil
}

// initFailed ends a cold start: every fault goes to the log, and all of them to
// Lambda, which answers the waiting invocation with them.
func initFailed(api, name string, err error) (exit int) {
	var faults environment.Faults
	if !errors.As(err, &faults) {
		faults = environment.Faults{{File: environmentFile(), What: err.Error()}}
	}
	for _, f := range faults {
		slog.Error("starting the deployer", "error", f.String(), "error_type", name)
	}
	body, err := json.Marshal(messages.InvokeResponse_Error{Message: faults.Error(), Type: name})
	if err != nil {
		return 1
	}
	request, err := http.NewRequest(http.MethodPost, "http://"+api+"/2018-06-01/runtime/init/error", bytes.NewReader(body))
	if err != nil {
		return 1
	}
	request.Header.Set("Lambda-Runtime-Function-Error-Type", name)
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{Proxy: nil}}
	if response, err := client.Do(request); err == nil {
		response.Body.Close()
	}
	return 1
}
