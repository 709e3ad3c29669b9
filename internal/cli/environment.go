package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/spf13/cobra"

	"deployer/internal/caller"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/image"
	"deployer/internal/rollout"
)

const (
	// awsTimeout limits the AWS calls of one command.
	awsTimeout = 5 * time.Minute
	// firstCallTimeout limits the first call: without a network a command ends soon.
	firstCallTimeout = 15 * time.Second
)

// accountFlag adds the flag --account: the environment's account, for files that do not
// have it.
func accountFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("account", "", "`ID` of the environment's account, if the file does not have it")
}

// loadIn is [app.load] for an environment in an account. The file's own account, if it
// has one, must be the same.
func (a *app) loadIn(file, account string) (*environment.Environment, error) {
	env, err := a.load(file)
	if err != nil {
		return nil, err
	}
	return inAccount(env, "account", account)
}

// inAccount returns an environment in the account that a flag names; as it is if the flag is not given. The file's own
// account, if it has one, must be the same.
func inAccount(env *environment.Environment, flag, account string) (*environment.Environment, error) {
	switch {
	case account == "":
		return env, nil
	case !image.ValidAccountID(account):
		return nil, wrongUsage("--%s %q is not an account id: write 12 digits, leading zeros too", flag, account)
	case env.AccountID != "" && env.AccountID != account:
		return nil, wrongUsage("--%s is %s, but %s is in account %s", flag, account, env.File, env.AccountID)
	}
	return env.In(account), nil
}

// load reads an environment file and prints its warnings.
func (a *app) load(file string) (*environment.Environment, error) {
	if file == "" {
		return nil, a.errNoEnvironment()
	}
	env, err := environment.Load(file)
	if err != nil {
		return nil, a.wrongEnvironment(file, err)
	}
	if !slices.Contains(a.warned, file) {
		for _, w := range env.Warnings {
			a.note("%s", w)
		}
		a.warned = append(a.warned, file)
	}
	env.ByName = a.byName[file] == env.Name
	return env, nil
}

// loadService reads an environment file and finds a service in it.
func (a *app) loadService(file, name string) (*environment.Environment, environment.Workload, error) {
	env, err := a.load(file)
	if err != nil {
		return nil, environment.Workload{}, err
	}
	w, err := a.service(env, name)
	return env, w, err
}

// loadServiceAndTag is [app.loadService] for a command with the arguments
// SERVICE and TAG. It checks the tag's form.
func (a *app) loadServiceAndTag(file string, args []string) (
	*environment.Environment, environment.Workload, string, error,
) {
	env, err := a.load(file)
	if err != nil {
		return nil, environment.Workload{}, "", err
	}
	w, err := a.service(env, args[0])
	if swapped := a.swapped(env, args); err != nil && swapped != "" {
		err = &usageError{fmt.Sprintf("%q is no service, and %q is one: the service comes before the tag", args[0],
			args[1]), swapped}
	}
	if err != nil {
		return nil, w, "", err
	}
	if wrong := event.CheckTag(args[1]); wrong != "" {
		return nil, w, "", wrongUsage("%s", wrong)
	}
	return env, w, args[1], nil
}

// swapped returns the command line with the service and the tag in the right order, ""
// if they are not swapped.
func (a *app) swapped(env *environment.Environment, args []string) string {
	i, j := slices.Index(a.args, args[0]), slices.Index(a.args, args[1])
	if _, ok := env.Find(args[1], environment.Services...); !ok || event.CheckTag(args[0]) != "" || i < 0 || j < 0 {
		return ""
	}
	corrected := slices.Clone(a.args)
	corrected[i], corrected[j] = args[1], args[0]
	return commandLine(corrected...)
}

// service returns the workload with a name: a service, or a task as task:NAME, or as NAME
// if no service is called so.
func (a *app) service(env *environment.Environment, name string) (environment.Workload, error) {
	w, ok := env.Find(name, environment.Services...)
	if ok {
		return w, nil
	}
	if task, ok := env.Find(name, environment.Tasks...); ok {
		return task, nil
	}
	if strings.Contains(name, ",") {
		return w, wrongUsage("%q is a list, and only deploy, send, redeploy and rollback take one", name)
	}
	return w, a.noWorkload(env, name)
}

// session is an environment with credentials of its own account.
type session struct {
	env    *environment.Environment // with its account
	config aws.Config
	caller arn.ARN
}

// connect loads the AWS configuration for an environment, and checks that the
// credentials belong to the environment's account.
func (a *app) connect(ctx context.Context, env *environment.Environment) (*session, error) {
	return a.connectAs(ctx, env, "")
}

// connectAs is [connect] with the credentials of a profile; "" for none in particular.
func (a *app) connectAs(ctx context.Context, env *environment.Environment, profile string) (*session, error) {
	config, err := a.configAs(ctx, env, profile)
	if err != nil {
		return nil, err
	}
	identity, err := identify(ctx, env, config)
	if err != nil {
		return nil, err
	}
	return &session{env.In(identity.AccountID), config, identity}, nil
}

// enter is [connectAs] with credentials that may be of any account. An environment
// without an account is in that of the credentials.
func (a *app) enter(ctx context.Context, env *environment.Environment, profile string) (*session, error) {
	config, err := a.configAs(ctx, env, profile)
	if err != nil {
		return nil, err
	}
	first, cancel := context.WithTimeout(ctx, firstCallTimeout)
	defer cancel()
	identity, err := caller.Identity(first, config)
	if err != nil {
		return nil, err
	}
	if env.AccountID == "" {
		env = env.In(identity.AccountID)
	}
	return &session{env, config, identity}, nil
}

// identify asks STS whose the credentials are, and checks that they belong to the
// environment's account.
func identify(ctx context.Context, env *environment.Environment, config aws.Config) (arn.ARN, error) {
	first, cancel := context.WithTimeout(ctx, firstCallTimeout)
	defer cancel()
	identity, err := caller.Identity(first, config)
	if err != nil {
		return arn.ARN{}, err
	}
	return identity, checkAccount(env, identity)
}

// checkAccount checks that credentials belong to the environment's account.
func checkAccount(env *environment.Environment, identity arn.ARN) error {
	if env.AccountID == "" || identity.AccountID == env.AccountID {
		return nil
	}
	return &ofAWS{hinted("aws configure list # shows the profile in use; set AWS_PROFILE to a profile of account "+
		env.AccountID,
		"%s is environment %s of account %s, but these credentials belong to %s",
		env.File, env.Name, env.AccountID, identity)}
}

// rollouts returns a client for the rollouts of the session's services.
func (s *session) rollouts() *rollout.Client { return rollout.New(ecsservice.New(s.config)) }

// connectTo reads an environment file, finds a service in it and connects to
// its account.
func (a *app) connectTo(ctx context.Context, file, name string) (*session, ecsservice.Target, error) {
	env, w, err := a.loadService(file, name)
	if err != nil {
		return nil, ecsservice.Target{}, err
	}
	s, err := a.connect(ctx, env)
	if err != nil {
		return nil, ecsservice.Target{}, err
	}
	return s, ecsservice.TargetOf(s.env, w), nil
}

// withTimeout limits how long a command waits for AWS.
func withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, awsTimeout)
}
