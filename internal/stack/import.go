package stack

import (
	"bytes"
	"encoding/json"
	"fmt"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// resourceToImport names a resource that exists (CloudFormation API reference, ResourceToImport).
type resourceToImport struct {
	Type       string            `json:"ResourceType"`
	LogicalID  string            `json:"LogicalResourceId"`
	Identifier map[string]string `json:"ResourceIdentifier"`
}

// ResourcesToImport returns the file for `aws cloudformation create-change-set --resources-to-import` with the
// repositories of [RegistryParameters].
func ResourcesToImport(parameters []Parameter) string {
	var all []resourceToImport
	for _, p := range parameters {
		if p.Name != repositories {
			continue
		}
		for _, name := range elements(p.Value) {
			all = append(all, resourceToImport{"AWS::ECR::Repository", LogicalID(name),
				map[string]string{"RepositoryName": name}})
		}
	}
	return indented(all)
}

// checkout begins what the commands of [RegistrySteps] need.
const checkout = "in a checkout of the deployer, for deploy/registry.yaml, "

// RegistrySteps returns the aws commands that use what [FormatRegistry] writes of the parameters, and a sentence about
// what they need; none for a format of another tool. If the template is too large to be passed directly, the commands
// use the variable bucket of the shell, the name of an S3 bucket.
func RegistrySteps(env *environment.Environment, format string, parameters []Parameter) (intro string, steps []string) {
	var names []string
	for _, p := range parameters {
		if p.Name == repositories {
			names = elements(p.Value)
		}
	}
	in := " --region " + env.Region + " --stack-name " + registryStack(env, names)
	account := "account " + env.AccountID
	if env.AccountID == "" {
		account = "the environment's account"
	}
	owner, bucket := "credentials of "+account, TooLarge(names)
	if bucket {
		owner += fmt.Sprintf(", and a bucket of it in %s (bucket=NAME), because the template of %d repositories is "+
			"too large to be passed directly", env.Region, len(names))
	}
	switch format {
	case "json":
		from := " --template-file deploy/registry.yaml"
		if bucket {
			from += ` --s3-bucket "$bucket"`
		}
		return checkout + "with the parameters in registry.json, and " + owner + ":", []string{
			"aws cloudformation deploy" + in + from +
				" --parameter-overrides file://registry.json --capabilities CAPABILITY_AUTO_EXPAND" +
				" --no-fail-on-empty-changeset",
		}
	case "import":
		from := " --template-body file://deploy/registry.yaml"
		if bucket {
			host := "$bucket.s3." + env.Region + "." + image.PartitionOf(env.Region).Suffix
			from = ` --template-url "https://` + host + `/registry.yaml"`
			steps = []string{`aws s3 cp --region ` + env.Region + ` deploy/registry.yaml "s3://$bucket/registry.yaml"`}
		}
		return checkout + "with the resources in import.json, the parameters (--format change-set) of these " +
				"repositories and of those that the stack has in change-set.json, and " + owner + ":", append(steps,
				"aws cloudformation create-change-set"+in+" --change-set-name import --change-set-type IMPORT"+from+
					" --parameters file://change-set.json"+
					" --resources-to-import file://import.json --capabilities CAPABILITY_AUTO_EXPAND",
				"aws cloudformation wait change-set-create-complete"+in+" --change-set-name import",
				"aws cloudformation execute-change-set"+in+" --change-set-name import",
				"aws cloudformation wait stack-import-complete"+in)
	}
	return "", nil
}

// overrides returns the parameters in a file for `aws cloudformation deploy --parameter-overrides file://FILE`. AWS CLI
// 1 and 2 read this form; version 1 refuses objects here.
func overrides(parameters []Parameter) string {
	all := make([]string, len(parameters))
	for i, p := range parameters {
		all[i] = p.Name + "=" + p.Value
	}
	return indented(all)
}

// parameterObjects returns the parameters in a file for `aws cloudformation create-change-set --parameters
// file://FILE`.
func parameterObjects(parameters []Parameter) string {
	type parameter struct{ ParameterKey, ParameterValue string }
	all := make([]parameter, len(parameters))
	for i, p := range parameters {
		all[i] = parameter{p.Name, p.Value}
	}
	return indented(all)
}

func indented(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic(err) // every type that is passed encodes
	}
	return b.String()
}
