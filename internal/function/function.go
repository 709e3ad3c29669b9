// Package function is the Lambda function: its cold start, and the handler of
// its events.
package function

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"

	stdlog "log"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/pipeline"
	"deployer/internal/version"
)

// gcPercent lets the heap grow to 16 MB before it is collected, instead of 4: neither a
// cold start nor a deployment collects it then. Above maxHeap it is collected more often.
const (
	gcPercent = 400
	maxHeap   = 48 << 20
)

// Serve is the Lambda function. It reads the environment file once, at the cold
// start, and then handles one event after the other. The parameter is the
// address of Lambda's runtime API. Serve returns only if the cold start fails.
func Serve(api string) (exit int) {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(maxHeap)
	slog.SetDefault(lambdacontext.NewLogger())
	stdlog.SetOutput(runtimeLog{})
	connections := connectEarly(os.Getenv("AWS_REGION"))
	env, err := loadEnvironment(environmentFile())
	if err == nil {
		err = checkStack(env)
	}
	if err != nil {
		return initFailed(api, "Deployer.EnvironmentFile", err)
	}
	nameForPeople(env)
	config, err := connections.config(env)
	if err != nil {
		return initFailed(api, "Deployer.Configuration", err)
	}
	queue := os.Getenv("DEPLOYER_FAILED_QUEUE")
	if queue == "" {
		slog.Warn("rejected events and those of failed rollouts are not kept: DEPLOYER_FAILED_QUEUE is not set",
			"fix", "update the stack: make deploy env="+env.Name)
	}
	group, role := os.Getenv("DEPLOYER_RETRY_GROUP"), os.Getenv("DEPLOYER_RETRY_ROLE")
	if group == "" || role == "" {
		slog.Warn("images that ECR still replicates are not waited for: DEPLOYER_RETRY_GROUP or DEPLOYER_RETRY_ROLE "+
			"is not set", "fix", "update the stack: make deploy env="+env.Name)
	}
	p := pipeline.NewFunction(env, config, os.Stdout).KeepIn(queue).RetryIn(group, role)
	p.SetRole(os.Getenv("DEPLOYER_ROLE"))
	connections.wait(env)
	lambda.Start(handler{p, newFreeze(config.HTTPClient)})
	return 0
}

// packedFile is the name of the environment file in the function's package.
const packedFile = "environment.yaml"

// environmentFile returns the path of the environment file: the variable
// DEPLOYER_ENVIRONMENT_FILE, by default environment.yaml. A relative path starts
// at the bootstrap's directory.
func environmentFile() string {
	file := os.Getenv("DEPLOYER_ENVIRONMENT_FILE")
	if file == "" {
		file = packedFile
	}
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(os.Getenv("LAMBDA_TASK_ROOT"), file)
}

// nameForPeople makes messages name the environment as people do on their machines. They do
// not have the file at the function's path, and it was renamed when it was packed.
func nameForPeople(env *environment.Environment) {
	env.ByName = true
	env.File = filepath.Base(env.File)
	if env.File == packedFile {
		env.File = env.Name + ".yaml"
	}
}

// loadEnvironment reads the environment file. It logs the function's version and
// the file's SHA-256, by which people see what is deployed where, and the file's
// warnings.
func loadEnvironment(file string) (*environment.Environment, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the environment file: %w", err)
	}
	env, err := environment.Parse(file, data)
	if err != nil {
		return nil, err
	}
	slog.Info("starting", "version", version.String(), "environment_file", file,
		"environment_sha256", env.SHA256, "project", env.Project, "env", env.Name)
	for _, w := range env.Warnings {
		slog.Warn("reading the environment file", "warning", w.String())
	}
	return env, nil
}

// checkStack returns an error if the environment file is of another project or
// environment than the stack, which sets DEPLOYER_PROJECT and DEPLOYER_ENV: the
// function would deploy to resources that the stack's rules and role are not for.
// A variable that is not set is not checked.
func checkStack(env *environment.Environment) error {
	project, name := os.Getenv("DEPLOYER_PROJECT"), os.Getenv("DEPLOYER_ENV")
	if (project == "" || project == env.Project) && (name == "" || name == env.Name) {
		return nil
	}
	return environment.Faults{{File: env.File,
		What: fmt.Sprintf("the file is of project %q and environment %q, but the function's stack is of project %q "+
			"and environment %q", env.Project, env.Name, cmp.Or(project, env.Project), cmp.Or(name, env.Name)),
		Fix: "pack the stack's own file: make deploy env=" + cmp.Or(name, env.Name),
	}}
}

// handler receives events as raw bytes: the pipeline rejects what is not JSON.
type handler struct {
	pipeline *pipeline.Pipeline
	freeze   *freeze
}

// Invoke implements [lambda.Handler]. An error keeps its own name, so that
// Lambda's record says "AccessDenied" and not "Misconfiguration".
func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	h.freeze.begin()
	defer h.freeze.end()
	defer func() {
		if cause := recover(); cause != nil {
			slog.ErrorContext(ctx, "the deployer panicked", "error", fmt.Sprint(cause), "stack", string(debug.Stack()))
			panic(cause) // the runtime's client reports it to Lambda and ends the process
		}
	}()
	result, err := h.pipeline.Handle(ctx, payload)
	if err != nil {
		slog.ErrorContext(ctx, "invocation failed", "error", err.Error(), "error_type", fault.NameOf(err))
		return nil, messages.InvokeResponse_Error{Message: err.Error(), Type: fault.NameOf(err)}
	}
	return json.Marshal(result)
}
