package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"deployer/internal/access"
	"deployer/internal/environment"
)

// policyKinds are the policies that the command policy prints.
var policyKinds = []string{"repository", "lifecycle", "bus", policyOfSeveral, "promote", "operator"}

// policyOfSeveral is the policy that may be of several environments.
const policyOfSeveral = "github"

// policyFlagKinds are the flags that apply only to some of the policies.
var policyFlagKinds = map[string][]string{
	"org": {"repository", "bus"}, "accounts": {"repository", "bus"},
	"archive": {"lifecycle"}, "from": {"promote"}, "from-account": {"promote"},
	"repo": {"github"}, "owner-id": {"github"}, "repo-id": {"github"}, "rebuild": {"github"},
	"commands": {"operator"},
}

// policyFlags are the flags of policy.
type policyFlags struct {
	org, accounts         string
	from, fromAccount     string
	archive, rebuild      bool
	commands              []string
	all                   []*cobra.Command // of the command line
	repo, ownerID, repoID string
	format                string
}

func (a *app) policyCommand() *cobra.Command {
	var p policyFlags
	cmd := &cobra.Command{
		Use:   "policy -e ENV repository|lifecycle|bus|github|promote|operator",
		Short: "Print the policies that accounts have to give each other",
		Long: `repository   policy of the ECR repositories: which accounts pull images;
             without flags, those of ecr_trusted_accounts
lifecycle    lifecycle policy of the ECR repositories: which images are kept
bus          policy of the event bus: which accounts send events
github       role that GitHub's workflows assume to send DEPLOY events and
             follow the rollout, and to push images; as JSON, one object with
             AssumeRolePolicyDocument and PolicyDocument. With several files,
             in the order of a release: a list of roles, one for each kind of
             job (build, promote, deploy) in each environment
promote      rights of a role that promotes images from the environment of
             --from, and deploys them; the source's repositories get the
             policy "repository"
operator     rights of people who run the command line's commands

The commands that put a policy in place are printed on standard error.`,
		Example: `deployer policy repository -e prod --org o-a1b2c3d4e5
deployer policy bus -e prod --accounts 111111111111,222222222222
deployer policy github -e prod --repo octocat/shop --format terraform
deployer policy github -e dev -e staging -e prod --repo octocat/shop
deployer policy promote -e prod --from dev
deployer policy operator -e prod --commands status,history,rollback`,
		Args:      arguments("POLICY"),
		ValidArgs: policyKinds,
	}
	account := accountFlag(cmd)
	files := filesFlag(cmd) // several are for GitHub, in the order of a release
	asJSON := jsonFlag(cmd)
	p.addTo(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		kind := args[0]
		if *asJSON && p.format == "terraform" {
			return wrongUsage("--json and --format terraform exclude each other")
		}
		if err := a.checkPolicyFlags(cmd.Flags(), kind, p.format); err != nil {
			return err
		}
		envs, err := a.policyFiles(*files, *account, kind)
		if err != nil {
			return err
		}
		p.all = cmd.Root().Commands()
		policy, err := a.policy(envs, kind, p)
		if errors.Is(err, access.ErrUnnamed) {
			return wrongUsage("%s", err)
		}
		if err != nil {
			return err
		}
		a.printPolicy(policy, p.format)
		return nil
	}
	return cmd
}

// addTo adds the flags of policy to it.
func (p *policyFlags) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&p.org, "org", "", "repository, bus: allow all accounts of the organization with this `ID`")
	flags.StringVar(&p.accounts, "accounts", "", "repository, bus: allow these accounts, `IDS` with commas")
	flags.BoolVar(&p.archive, "archive", false, "lifecycle: archive images instead of deleting them")
	flags.StringVar(&p.repo, "repo", "", "github: repository whose workflows deploy, `OWNER/NAME`")
	flags.StringVar(&p.ownerID, "owner-id", "", "github: `NUMBER` of the owner, in newer repositories' tokens")
	flags.StringVar(&p.repoID, "repo-id", "", "github: `NUMBER` of the repository itself")
	flags.BoolVar(&p.rebuild, "rebuild", false, "github: build images for each registry instead of promoting them")
	flags.StringSliceVar(&p.commands, "commands", nil, "operator: only these `COMMANDS`, with commas")
	flags.StringVar(&p.from, "from", "", "promote: `ENV` of the source: an environment's name, or its file")
	flags.StringVar(&p.fromAccount, "from-account", "", "promote: `ID` of the source's account, if its file has none")
	flags.StringVar(&p.format, "format", "json", "output `FORMAT`: json or terraform")
	completeFormats(cmd, func() []string { return []string{"json", "terraform"} })
	_ = cmd.RegisterFlagCompletionFunc("commands", completeOperated) // fails only for a flag that does not exist
	_ = cmd.RegisterFlagCompletionFunc("from", completeEnvironments)
}

// policyFiles reads the environment files. Only for GitHub there may be several.
func (a *app) policyFiles(files []string, account, kind string) (envs []*environment.Environment, err error) {
	switch {
	case len(files) == 0:
		return nil, a.errNoEnvironment()
	case len(files) > 1 && kind != policyOfSeveral:
		return nil, wrongUsage("%s is for one environment: name one", kind)
	case len(files) > 1 && account != "":
		return nil, wrongUsage("--account is for one environment: write account_id into the files")
	}
	for _, file := range files {
		env, err := a.loadIn(file, account)
		if err != nil {
			return nil, err
		}
		envs = append(envs, env)
	}
	return envs, nil
}

// policy returns the policy of a kind for an environment, or for several.
func (a *app) policy(envs []*environment.Environment, kind string, p policyFlags) (access.Policy, error) {
	env := envs[0]
	switch kind {
	case "operator":
		return a.operator(env, p.all, p.commands)
	case "promote":
		if p.from == "" {
			return access.Policy{}, wrongUsage("the source's environment file is missing: name it with --from")
		}
		file, err := a.fileOrEnvironment(p.from)
		if err != nil {
			return access.Policy{}, err
		}
		from, err := a.load(file)
		if err != nil {
			return access.Policy{}, err
		}
		if from, err = inAccount(from, "from-account", p.fromAccount); err != nil {
			return access.Policy{}, err
		}
		return access.Promotion(from, env)
	case "lifecycle":
		if p.archive {
			return access.ArchivingLifecycle(env)
		}
		return access.Lifecycle(env)
	case "github":
		from, err := access.ParseSource(p.repo, p.ownerID, p.repoID)
		if err != nil {
			return access.Policy{}, wrongUsage("%s", err)
		}
		if len(envs) > 1 {
			return access.Pipeline(envs, from, p.rebuild)
		}
		if p.rebuild {
			return access.Policy{}, wrongUsage("--rebuild is for several environments: name their files with -f")
		}
		return access.GitHub(env, from)
	}
	callers, err := access.ParseCallers(p.org, p.accounts)
	if err != nil {
		return access.Policy{}, wrongUsage("%s", err)
	}
	if kind == "bus" {
		return access.Bus(env, callers)
	}
	return access.Repository(env, callers)
}

// checkPolicyFlags refuses an unknown kind or format, and flags that do not
// apply to the kind.
func (a *app) checkPolicyFlags(flags *pflag.FlagSet, kind, format string) error {
	if !slices.Contains(policyKinds, kind) {
		return a.noChoice("policy", kind, policyKinds)
	}
	if format != "json" && format != "terraform" {
		return a.noChoice("format", format, []string{"json", "terraform"})
	}
	var wrong error
	flags.Visit(func(f *pflag.Flag) {
		kinds := policyFlagKinds[f.Name]
		switch {
		case kinds == nil:
		case !slices.Contains(kinds, kind):
			wrong = wrongUsage("--%s does not apply to %s: it is for %s", f.Name, kind, strings.Join(kinds, " and "))
		case f.Value.String() == "": // which differs from a flag that is not given
			wrong = wrongUsage("--%s is empty: did a variable expand to nothing?", f.Name)
		}
	})
	return wrong
}

// printPolicy prints the document, and on standard error how to put it in place.
func (a *app) printPolicy(p access.Policy, format string) {
	for _, note := range p.Notes {
		a.note("%s", note)
	}
	if format == "terraform" {
		fmt.Fprint(a.out, p.Terraform)
		return
	}
	if len(p.Steps) > 0 {
		a.note("with the document in policy.json:")
	}
	for _, step := range p.Steps {
		fmt.Fprintf(a.err, "  %s\n", step) // to be copied
	}
	fmt.Fprint(a.out, p.JSON)
}
