package lambdahost

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Options is the configuration of a function and its host. Bootstrap and FunctionARN are required.
type Options struct {
	// Bootstrap is the path of the executable.
	Bootstrap string
	// Dir is the absolute path of the function's directory (LAMBDA_TASK_ROOT), in which Bootstrap runs. The default is
	// the directory of Bootstrap.
	Dir string
	// Env are the function's own environment variables. As in Lambda, reserved variables are an error, except for LANG,
	// PATH and TZ.
	Env map[string]string
	// FunctionARN is the unqualified ARN of the function, which has its name and region.
	FunctionARN string
	// MemorySize is the function's memory in MB, which is in its environment but not enforced. The default is 128.
	MemorySize int
	// AccessKeyID, SecretAccessKey and SessionToken are the credentials of the execution role.
	AccessKeyID, SecretAccessKey, SessionToken string
	// LogLevel is the application log level (AWS_LAMBDA_LOG_LEVEL): TRACE, DEBUG, INFO, WARN, ERROR or FATAL. The
	// default is INFO.
	LogLevel string

	// Timeout is the limit for one invocation. The default is 3 seconds.
	Timeout time.Duration
	// InitTimeout is the limit from the start of a bootstrap to its first request for an invocation. An initialization
	// that fails or takes longer is retried once, with Timeout as limit. The default is 10 seconds.
	InitTimeout time.Duration
	// Concurrency is the limit of execution environments, each of which is one process. Further invocations wait;
	// Lambda throttles synchronous ones instead. The default is 1.
	Concurrency int

	// RetryWaits are the waits before the retries of an asynchronous invocation that failed. Their number is the number
	// of retries. The default for nil is 1 and 2 minutes.
	RetryWaits []time.Duration
	// MaxEventAge is how long an asynchronous event is kept. An event whose next retry would be later fails at once.
	// The default is 6 hours.
	MaxEventAge time.Duration

	// Logs receives the standard output and error of all bootstraps, one line in each call, never concurrently. The
	// default discards them.
	Logs io.Writer
	// Measure fills InitCPU and PeakRSS of [ProcessStats]. The host reads the process's files in /proc for that, each
	// time that it asks for an invocation. The default does not.
	Measure bool
	// Initialized is called with a bootstrap's process id when it asks for its first invocation, which waits until it
	// returns. The default does nothing.
	Initialized func(pid int)
	// OnFailure receives the record of every asynchronous event that failed for good, as an on-failure destination
	// does, never concurrently. It may invoke the function, but must not close the host.
	OnFailure func(Record)
}

// complete returns the options with their defaults, and the function of the ARN.
func (o Options) complete() (Options, function, error) {
	fn, err := parseFunctionARN(o.FunctionARN)
	if err != nil {
		return o, fn, err
	}
	if err := o.completePaths(); err != nil {
		return o, fn, err
	}
	if err := o.checkEnv(fn); err != nil {
		return o, fn, err
	}
	orDefault(&o.MemorySize, 128)
	orDefault(&o.LogLevel, "INFO")
	orDefault(&o.Timeout, 3*time.Second)
	orDefault(&o.InitTimeout, 10*time.Second)
	orDefault(&o.Concurrency, 1)
	orDefault(&o.MaxEventAge, 6*time.Hour)
	orDefault(&o.Logs, io.Discard)
	if o.RetryWaits == nil {
		o.RetryWaits = []time.Duration{time.Minute, 2 * time.Minute}
	}
	if o.OnFailure == nil {
		o.OnFailure = func(Record) {}
	}
	if o.Initialized == nil {
		o.Initialized = func(int) {}
	}
	return o, fn, nil
}

// completePaths checks Bootstrap and Dir, and makes Bootstrap an absolute path.
func (o *Options) completePaths() error {
	if o.Bootstrap == "" {
		return errors.New("Options.Bootstrap is empty: give the path of the bootstrap executable")
	}
	path, err := filepath.Abs(o.Bootstrap)
	if err != nil {
		return fmt.Errorf("finding bootstrap %q: %w", o.Bootstrap, err)
	}
	o.Bootstrap = path
	info, err := os.Stat(o.Bootstrap)
	switch {
	case err != nil:
		return fmt.Errorf("finding bootstrap %q: %w", o.Bootstrap, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("finding bootstrap %q: not a file", o.Bootstrap)
	}
	orDefault(&o.Dir, filepath.Dir(o.Bootstrap))
	info, err = os.Stat(o.Dir)
	switch {
	case err != nil:
		return fmt.Errorf("finding the function's directory %q: %w", o.Dir, err)
	case !info.IsDir():
		return fmt.Errorf("finding the function's directory %q: not a directory", o.Dir)
	}
	return nil
}

// checkEnv returns an error for reserved variables.
func (o *Options) checkEnv(fn function) error {
	var reserved []string
	for name := range o.reservedEnv(fn, "", "") {
		if _, given := o.Env[name]; given {
			reserved = append(reserved, name)
		}
	}
	if len(reserved) > 0 {
		slices.Sort(reserved)
		names := strings.Join(reserved, ", ")
		return fmt.Errorf("checking Options.Env: %s: reserved by Lambda, which sets them", names)
	}
	return nil
}

func orDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// A function is the function of an ARN.
type function struct {
	name, region string
}

func parseFunctionARN(arn string) (function, error) {
	f := strings.Split(arn, ":")
	if len(f) != 7 || f[0] != "arn" || f[2] != "lambda" || f[5] != "function" || slices.Contains(f, "") {
		return function{}, fmt.Errorf("reading function ARN %q: want arn:aws:lambda:REGION:ACCOUNT:function:NAME", arn)
	}
	return function{name: f[6], region: f[3]}, nil
}
