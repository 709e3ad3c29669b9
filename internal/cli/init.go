package cli

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// ownImages is the answer that images are in the environment's own account.
const ownImages = "own"

// initFlags are the flags of init: the file to write, and the answers by question.
type initFlags struct {
	output  string
	asJSON  bool
	answers map[string]*string
}

// question is one thing that init has to know.
type question struct {
	name   string // the flag, and the answer's name
	text   string // for people
	usage  string // of the flag
	wrong  string // what an answer has to be
	accept func(answer string) bool
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

// questions are all that init has to know, in the order in which it asks.
var questions = []question{
	{"project", "Project, the first part of all names in AWS", "`NAME` of the project",
		"letters, digits, - and _", nameForm.MatchString},
	{"env", "Environment, such as dev, staging or prod", "`NAME` of the environment",
		"letters, digits, - and _", nameForm.MatchString},
	{"account", "AWS account of the environment", "`ID` of the environment's AWS account",
		"12 digits, leading zeros too", image.ValidAccountID},
	{"region", "Region of the ECS cluster", "`REGION` of the ECS cluster",
		"a region, like us-east-1", image.ValidRegion},
	{"images", "Images: own for a registry of this account, else ACCOUNT/REGION of the registry",
		"registry of the images: own, or `ACCOUNT/REGION`",
		"own, or an account and a region like 111111111111/us-east-1", func(s string) bool {
			account, region, both := strings.Cut(s, "/")
			return s == ownImages || both && image.ValidAccountID(account) && image.ValidRegion(region)
		}},
	{"services", "Services besides the backend, with commas, or none",
		"`NAMES` of the services besides the backend, or none",
		"names of letters, digits and -, with commas, or none", func(s string) bool {
			return s == "none" || !slices.ContainsFunc(strings.Split(s, ","), func(name string) bool {
				return !regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`).MatchString(strings.TrimSpace(name))
			})
		}},
}

func (a *app) initCommand() *cobra.Command {
	how := initFlags{answers: map[string]*string{}}
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write an environment file by asking at most six questions",
		Long: `What a flag does not answer is asked. If there is an environment file already, it
gives the defaults: project, region, services, and dev's registry for the images. The
new file is complete and valid. It is project/ENV.yaml, unless --output names
another, and is never overwritten. The commands that come next are printed.`,
		Example: `deployer init
deployer init --project shop --env dev --account 111111111111 --region us-east-1 \
    --images own --services web-api,worker
deployer init --env prod --account 333333333333 --images 111111111111/us-east-1`,
		Args: arguments(),
	}
	flags := cmd.Flags()
	for _, q := range questions {
		how.answers[q.name] = flags.StringP(q.name, map[string]string{"env": "e"}[q.name], "", q.usage)
	}
	flags.StringVar(&how.output, "output", "", "`FILE` to write; by default project/ENV.yaml")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		for _, q := range questions {
			if value := *how.answers[q.name]; flags.Changed(q.name) && !q.accept(value) {
				return wrongUsage("--%s %q is wrong: write %s", q.name, value, q.wrong)
			}
		}
		how.asJSON = *asJSON
		return a.writeEnvironment(how)
	}
	return cmd
}

// writeEnvironment asks what is not answered, writes the file, and prints what comes next.
func (a *app) writeEnvironment(how initFlags) error {
	answers, err := a.ask(how)
	if err != nil {
		return err
	}
	file := how.file(answers)
	text := environmentText(answers)
	env, err := environment.Parse(file, []byte(text))
	if err != nil {
		return err
	}
	if err := create(file, text+settingsText(env)); err != nil {
		return err
	}
	if how.asJSON {
		return printJSON(a.out, writtenFile{file, "written", env.Name, env.Strategy.Name, nextSteps(env)})
	}
	fmt.Fprintf(a.out, "%s: written: %s\n\nnext:\n", file, env.Strategy)
	for _, step := range nextSteps(env) {
		fmt.Fprintf(a.out, "  %s\n", step)
	}
	return nil
}

// writtenFile is what init prints with --json.
type writtenFile struct {
	File        string   `json:"file"`
	Status      string   `json:"status"` // "written"
	Environment string   `json:"environment"`
	Strategy    string   `json:"strategy"` // the ECR strategy
	Next        []string `json:"next"`     // the commands that install the environment
}

// ask returns the answers to all questions: those of flags, else what is typed. An empty
// line takes the default. A file that exists is an error as soon as its name is known.
func (a *app) ask(how initFlags) (map[string]string, error) {
	answers, in, given := map[string]string{}, bufio.NewReader(a.in), how.answers
	neighbors := neighborEnvironments()
	for i, q := range questions {
		answers[q.name] = *given[q.name]
		if how.output != "" || answers["env"] != "" {
			if err := notThere(how.file(answers)); err != nil {
				return nil, err
			}
		}
		if answers[q.name] != "" {
			continue
		}
		fallback := defaultOf(q.name, answers, neighbors)
		for answers[q.name] == "" {
			fmt.Fprint(a.err, q.text)
			if fallback != "" {
				fmt.Fprintf(a.err, " [%s]", fallback)
			}
			fmt.Fprint(a.err, ": ")
			line, err := in.ReadString('\n')
			answer := cmp.Or(strings.TrimSpace(line), fallback)
			switch {
			case err == nil && q.accept(answer):
				answers[q.name] = answer
			case err == nil:
				a.note("write %s", q.wrong)
			case errors.Is(err, io.EOF) && answer != "" && strings.TrimSpace(line) != "" && q.accept(answer):
				answers[q.name] = answer
			default:
				fmt.Fprintln(a.err)
				return nil, a.unanswered(i, given, answers, neighbors)
			}
		}
	}
	return answers, nil
}

// neighborEnvironments returns the environments whose files are here already, dev first.
func neighborEnvironments() (all []*environment.Environment) {
	for _, p := range placesFrom(".") {
		for _, one := range p.environments() {
			if env, err := environment.Load(one.file); err == nil {
				all = append(all, env)
			}
		}
		if len(all) > 0 {
			return all
		}
	}
	return nil
}

// defaultOf returns the default answer to a question: what the other files say.
func defaultOf(name string, answers map[string]string, neighbors []*environment.Environment) string {
	if len(neighbors) == 0 {
		return map[string]string{"env": "dev", "region": cmp.Or(os.Getenv("AWS_REGION"), "us-east-1"),
			"images": ownImages, "services": "none"}[name]
	}
	first := neighbors[0]
	switch name {
	case "project":
		return first.Project
	case "env":
		for _, env := range []string{"dev", "staging", "prod"} {
			taken := func(e *environment.Environment) bool { return e.Name == env }
			if !slices.ContainsFunc(neighbors, taken) {
				return env
			}
		}
	case "region":
		return first.Region
	case "images":
		if registry := first.Registry(); registry.AccountID != "" && registry.AccountID != answers["account"] {
			return registry.AccountID + "/" + registry.Region
		}
		return ownImages
	case "services":
		return cmp.Or(strings.Join(services(first), ","), "none")
	}
	return ""
}

// services returns the names of an environment's services besides the backend.
func services(env *environment.Environment) (names []string) {
	for _, w := range env.Workloads {
		if w.Kind == environment.Service {
			names = append(names, strings.TrimPrefix(w.Name, environment.ServicePrefix))
		}
	}
	return names
}

// environmentText returns what an environment file has to say, by the answers. Values are quoted:
// without quotes YAML reads some names and account ids as something else.
func environmentText(answers map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# The environment %[2]s of %[1]s. The deployer's documentation has all keys: docs/reference/environment-file.md.
schema_version: 7
project: %[1]q
env: %[2]q
region: %[3]q
account_id: %[4]q

`, answers["project"], answers["env"], answers["region"], answers["account"])
	if account, region, other := strings.Cut(answers["images"], "/"); other {
		fmt.Fprintf(&b, "# The images are in another account's registry.\necr_strategy: cross_account\n"+
			"ecr_account_id: %q\necr_account_region: %q\n", account, region)
	} else {
		b.WriteString("# The images are in this account's own registry.\necr_strategy: local\n")
	}
	b.WriteString("\n# The backend is there without being named.\n")
	if answers["services"] == "none" {
		b.WriteString("services: []\n")
	} else {
		b.WriteString("services:\n")
		for _, name := range strings.Split(answers["services"], ",") {
			fmt.Fprintf(&b, "  - name: %q\n", strings.TrimSpace(name))
		}
	}
	return b.String()
}

// settingsText returns the end of an environment's file: the deployer's settings with the values that they have without
// being named, as comments.
func settingsText(env *environment.Environment) string {
	tags, why := "[]", "no push deploys production"
	if !env.AutoDeploy.IsEmpty() {
		tags, why = `["`+strings.ReplaceAll(env.AutoDeploy.String(), ", ", `", "`)+`"]`, "the tags whose pushes deploy"
	}
	return "\n# Settings of the deployer, with their defaults:\n# deployer:\n" +
		"#   auto_deploy: " + tags + " # " + why + "\n" +
		"#   deploy_sources: [" + strings.Join(env.DeploySources, ", ") + "]\n" +
		"#   # The SSM parameter with the webhook of a channel; none by default.\n" +
		"#   # notify: {slack: /" + env.Project + "/slack}\n"
}
