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

// Options describes a function as its configuration in Lambda would.
type Options struct {
	// Bootstrap is the path of the executable. Required.
	Bootstrap string
	// Dir is the absolute path of the function's directory (LAMBDA_TASK_ROOT),
	// in which Bootstrap runs. Default: the directory of Bootstrap.
	Dir string
	// Env holds the function's own environment variables. As in Lambda,
	// variables that the host sets cannot be given, but for LANG, PATH and TZ.
	Env map[string]string
	// FunctionARN is the unqualified ARN of the function; its name and region
	// are read from it. Required.
	FunctionARN string
	// MemorySize is the function's memory in MB as the function is told; it is
	// not enforced. Default: 128.
	MemorySize int
	// AccessKeyID, SecretAccessKey and SessionToken are the credentials of the
	// execution role, passed on as they are.
	AccessKeyID, SecretAccessKey, SessionToken string
	// LogLevel is the application log level (AWS_LAMBDA_LOG_LEVEL): TRACE,
	// DEBUG, INFO, WARN, ERROR or FATAL. Default: INFO.
	LogLevel string

	// Timeout is the time one invocation may take. Default: 3 seconds.
	Timeout time.Duration
	// InitTimeout is the time from starting a bootstrap to its first request
	// for an invocation. An initialisation that fails or takes longer is tried
	// once more, then within Timeout. Default: 10 seconds.
	InitTimeout time.Duration
	// Concurrency is the most execution environments at a time, each of them
	// one process. Invocations beyond it wait their turn, where Lambda would
	// throttle a synchronous one. Default: 1.
	Concurrency int

	// RetryWaits are the waits before each retry of an asynchronous invocation
	// that met a function error; their number is the number of retries.
	// Default, when nil: 1 and 2 minutes.
	RetryWaits []time.Duration
	// MaxEventAge is how long an asynchronous event is kept. An event whose
	// next retry would be later is given up at once. Default: 6 hours.
	MaxEventAge time.Duration

	// Logs receives the standard output and error of all bootstraps in whole
	// lines, one line a call, never two calls at once. Default: discarded.
	Logs io.Writer
	// OnFailure receives the record of every asynchronous event that failed
	// for good, as an on-failure destination does; never two calls at once. It
	// may invoke the function, but not close the host, which waits for it.
	OnFailure func(Record)
}

// complete returns the options with their defaults, and what the ARN says.
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
	return o, fn, nil
}

// completePaths checks Bootstrap and Dir, and makes Bootstrap absolute.
func (o *Options) completePaths() (err error) {
	if o.Bootstrap == "" {
		return errors.New("Options.Bootstrap is empty: give the path of the bootstrap executable")
	}
	if o.Bootstrap, err = filepath.Abs(o.Bootstrap); err != nil {
		return fmt.Errorf("finding bootstrap %q: %w", o.Bootstrap, err)
	}
	switch info, err := os.Stat(o.Bootstrap); {
	case err != nil:
		return fmt.Errorf("finding bootstrap %q: %w", o.Bootstrap, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("finding bootstrap %q: not a file", o.Bootstrap)
	}
	orDefault(&o.Dir, filepath.Dir(o.Bootstrap))
	switch info, err := os.Stat(o.Dir); {
	case err != nil:
		return fmt.Errorf("finding the function's directory %q: %w", o.Dir, err)
	case !info.IsDir():
		return fmt.Errorf("finding the function's directory %q: not a directory", o.Dir)
	}
	return nil
}

// checkEnv refuses variables that the host sets.
func (o *Options) checkEnv(fn function) error {
	var reserved []string
	for name := range o.reservedEnv(fn, "", "") {
		if _, given := o.Env[name]; given {
			reserved = append(reserved, name)
		}
	}
	if len(reserved) > 0 {
		slices.Sort(reserved)
		return fmt.Errorf("checking Options.Env: %s: reserved by Lambda, which sets it itself", strings.Join(reserved,
			", "))
	}
	return nil
}

func orDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// A function is what the ARN of an unqualified function says.
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
