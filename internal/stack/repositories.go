package stack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"deployer/internal/access"
	"deployer/internal/environment"
	"deployer/internal/image"
)

// The parameters of deploy/registry.yaml.
const (
	repositories = "Repositories"
	readers      = "ReaderAccountIds"
	organization = "OrganizationId"
	mutableTags  = "MutableTags"
	kmsKey       = "KmsKeyArn"
	lifecycle    = "LifecyclePolicy"
)

// registrySettings are those that a setting NAME=VALUE changes.
var registrySettings = []string{repositories, readers, organization, mutableTags, kmsKey}

// Limits of tags that can move (ECR API reference, PutImageTagMutability; the second is that of Terraform's provider).
const (
	maxMutableTags = 5
	maxWildcards   = 2
)

// alwaysMutable are the tags that move in every environment.
var alwaysMutable = []string{"latest", "stable", "env-*"}

// RegistryName returns the conventional name of the stack of an environment's repositories.
func RegistryName(env *environment.Environment) string {
	return strings.ReplaceAll(env.Project+"-registry-"+env.Name, "_", "-")
}

// RegistryParameters returns every parameter of deploy/registry.yaml: the stack of the repositories of an environment
// whose images come from its own account. More holds NAME=VALUE for those that the file decides at most by default,
// and NAME= for that default. If archive is set, the lifecycle policy archives images instead of deleting them.
func RegistryParameters(env *environment.Environment, archive bool, more ...string) ([]Parameter, error) {
	all, err := ownRepositories(env)
	if err != nil {
		return nil, err
	}
	text, err := lifecycleText(env, archive)
	if err != nil {
		return nil, err
	}
	given, err := registryGiven(env, more)
	if err != nil {
		return nil, err
	}
	values := map[string]string{repositories: strings.Join(all, ","), readers: strings.Join(trusted(env), ","),
		mutableTags: strings.Join(mutable(env), ","), lifecycle: text}
	if given[organization] != "" {
		values[readers] = "" // the organization has them, or they are named
	}
	for name, value := range given {
		if value != "" {
			values[name] = value
		}
	}
	if err := checkRegistry(env, all, values); err != nil {
		return nil, err
	}
	var parameters []Parameter
	for _, name := range append(slices.Clone(registrySettings), lifecycle) {
		parameters = append(parameters, Parameter{name, values[name]})
	}
	return parameters, nil
}

// Repositories returns the repositories that deploy/registry.yaml creates for an environment; none if its images come
// from another account.
func Repositories(env *environment.Environment) []string {
	names, err := ownRepositories(env)
	if err != nil {
		return nil
	}
	return names
}

// ownRepositories returns the repositories that the environment's conventions name, in the order of the file. Those
// that the file names by hand are managed elsewhere.
func ownRepositories(env *environment.Environment) (names []string, err error) {
	if env.Strategy.Name != environment.Local {
		return nil, fmt.Errorf("%s runs images of %s (%s: %s): create the repositories with the file of that "+
			"account's "+
			"environment", env.Name, env.Registry(), env.Strategy.Name, env.Strategy.Why)
	}
	for _, w := range env.Workloads {
		if w.Registry == env.Registry() && strings.HasPrefix(w.Repository, env.Project+"_") {
			names = add(names, w.Repository)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no workload of %s runs an image from a repository named %s_…, so there is none to "+
			"create",
			env.File, env.Project)
	}
	return names, nil
}

// trusted returns the other accounts of ecr_trusted_accounts, each once.
func trusted(env *environment.Environment) (accounts []string) {
	for _, t := range env.TrustedAccounts {
		if t.ID != env.AccountID {
			accounts = add(accounts, t.ID)
		}
	}
	return accounts
}

// mutable returns the tags that move: the usual ones, and those of auto_deploy without a wildcard, which deploy
// whenever they are pushed again.
func mutable(env *environment.Environment) []string {
	tags := slices.Clone(alwaysMutable)
	for _, pattern := range env.AutoDeploy {
		covered := slices.ContainsFunc(tags,
			func(t string) bool { return environment.TagPattern(t).Match(string(pattern)) })
		if pattern.IsExact() && !covered {
			tags = append(tags, string(pattern))
		}
	}
	return tags
}

// lifecycleText returns the lifecycle policy on one line.
func lifecycleText(env *environment.Environment, archive bool) (string, error) {
	policy := access.Lifecycle
	if archive {
		policy = access.ArchivingLifecycle
	}
	p, err := policy(env)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(p.JSON)); err != nil {
		return "", fmt.Errorf("writing the lifecycle policy on one line: %w", err)
	}
	if b.Len() > maxParameter {
		return "", fmt.Errorf("the lifecycle policy of %s has %d characters, and a parameter of CloudFormation at "+
			"most %d: "+
			"list fewer tags in deployer.auto_deploy, for example patterns", env.File, b.Len(), maxParameter)
	}
	return b.String(), nil
}

// registryGiven reads settings NAME=VALUE; of several for one name, the last counts.
func registryGiven(env *environment.Environment, settings []string) (map[string]string, error) {
	given := map[string]string{}
	for _, setting := range settings {
		name, value, ok := strings.Cut(setting, "=")
		if !ok || !slices.Contains(registrySettings, name) || strings.ContainsAny(value, " \t\r\n\"'$\\") {
			what := fmt.Sprintf("reading %q: not NAME=VALUE for one of %s; %s follows from %s", setting,
				strings.Join(registrySettings, ", "), lifecycle, env.File)
			return nil, &SettingError{what, setting, registrySettings}
		}
		given[name] = value
	}
	if given[organization] != "" && given[readers] != "" {
		return nil, &SettingError{what: organization + " and " + readers + " exclude each other: give one of them"}
	}
	return given, nil
}

var (
	organizationForm = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)
	tagForm          = regexp.MustCompile(`^[0-9a-zA-Z._*-]{1,128}$`)
	keyForm          = regexp.MustCompile(`^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:key/[A-Za-z0-9-]+$`)
)

// checkRegistry returns an error for values that CloudFormation or ECR would reject. All are the environment's
// repositories.
func checkRegistry(env *environment.Environment, all []string, values map[string]string) error {
	if id := values[organization]; id != "" && !organizationForm.MatchString(id) {
		return fmt.Errorf("%s=%s is not the id of an organization: write it like o-a1b2c3d4e5 (aws organizations "+
			"describe-organization)", organization, id)
	}
	for _, id := range elements(values[readers]) {
		if !image.ValidAccountID(id) {
			return fmt.Errorf("%s has %q, which is not an account id: write 12 digits, leading zeros too, and commas "+
				"between the ids", readers, id)
		}
	}
	if key := keyForm.FindStringSubmatch(values[kmsKey]); values[kmsKey] != "" && (key == nil || key[1] != env.Region) {
		return fmt.Errorf("%s=%s is not the ARN of a KMS key in %s: write it like "+
			"arn:aws:kms:%[3]s:111111111111:key/ID "+
			"(aws kms describe-key)", kmsKey, values[kmsKey], env.Region)
	}
	if err := checkMutableTags(env, elements(values[mutableTags])); err != nil {
		return err
	}
	return checkNames(env, all, elements(values[repositories]))
}

// elements returns the elements of a list with commas; none for "".
func elements(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

func checkMutableTags(env *environment.Environment, tags []string) error {
	for _, tag := range tags {
		if !tagForm.MatchString(tag) || strings.Count(tag, "*") > maxWildcards {
			return fmt.Errorf("%s has %q, which ECR does not accept: a tag of at most 128 letters, digits, \".\", "+
				"\"_\" and "+
				"\"-\", with at most %d wildcards (*)", mutableTags, tag, maxWildcards)
		}
	}
	if len(tags) > maxMutableTags {
		return fmt.Errorf("%d tags would be mutable (%s), and ECR accepts at most %d: name those that move, or "+
			"patterns of them, such as %s", len(tags), strings.Join(tags, ", "), maxMutableTags,
			env.Command("params", "--registry", mutableTags+"="+strings.Join(fewest(tags), ",")))
	}
	return nil
}

// fewest returns as many of the tags as ECR accepts. Of the usual ones, those that fewest projects move are left out
// first.
func fewest(tags []string) []string {
	tags = slices.Clone(tags)
	for _, usual := range []string{"stable", "env-*", "latest"} {
		if i := slices.Index(tags, usual); i >= 0 && len(tags) > maxMutableTags {
			tags = slices.Delete(tags, i, i+1)
		}
	}
	return tags[:min(len(tags), maxMutableTags)]
}
