package lambdahost

import (
	"maps"
	"slices"
	"strconv"
)

// reservedEnv returns the variables that Lambda reserves (Lambda developer guide, "Working with Lambda environment
// variables"). Lambda does not set AWS_EXECUTION_ENV for OS-only runtimes.
func (o Options) reservedEnv(fn function, runtimeAPI, logStream string) map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID":               o.AccessKeyID,
		"AWS_DEFAULT_REGION":              fn.region,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(o.MemorySize),
		"AWS_LAMBDA_FUNCTION_NAME":        fn.name,
		"AWS_LAMBDA_FUNCTION_VERSION":     version,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_FORMAT":           "JSON",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + fn.name,
		"AWS_LAMBDA_LOG_LEVEL":            o.LogLevel,
		"AWS_LAMBDA_LOG_STREAM_NAME":      logStream,
		"AWS_LAMBDA_RUNTIME_API":          runtimeAPI,
		"AWS_REGION":                      fn.region,
		"AWS_SECRET_ACCESS_KEY":           o.SecretAccessKey,
		"AWS_SESSION_TOKEN":               o.SessionToken,
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"LAMBDA_TASK_ROOT":                o.Dir,
		"_HANDLER":                        "bootstrap",
	}
}

// environ returns the environment of a bootstrap, sorted. It has none of the host's own variables, so that tests do not
// depend on the developer's shell.
func (o Options) environ(fn function, runtimeAPI, logStream string) []string {
	env := map[string]string{
		"LANG": "en_US.UTF-8",
		"PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TZ":   ":UTC",
	}
	maps.Copy(env, o.Env)
	maps.Copy(env, o.reservedEnv(fn, runtimeAPI, logStream))
	list := make([]string, 0, len(env))
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}
