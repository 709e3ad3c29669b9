package stack

import (
	"bytes"
	"encoding/json"

	"deployer/internal/environment"
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

// RegistrySteps returns the aws commands that use what [FormatRegistry] writes, and a sentence about the files that
// they read; none for a format of another tool.
func RegistrySteps(env *environment.Environment, format string) (intro string, steps []string) {
	in := " --region " + env.Region + " --stack-name " + RegistryName(env)
	owner := "the environment's account"
	if env.AccountID != "" {
		owner = "account " + env.AccountID
	}
	switch format {
	case "json":
		return "with the parameters in registry.json, and credentials of " + owner + ":", []string{
			"aws cloudformation deploy" + in + " --template-file deploy/registry.yaml" +
				" --parameter-overrides file://registry.json --capabilities CAPABILITY_AUTO_EXPAND" +
				" --no-fail-on-empty-changeset",
		}
	case "import":
		return "with the resources in import.json, the parameters (--format change-set) of these repositories and of " +
				"those that the stack has in change-set.json, and credentials of " + owner + ":", []string{
				"aws cloudformation create-change-set" + in + " --change-set-name import --change-set-type IMPORT" +
					" --template-body file://deploy/registry.yaml --parameters file://change-set.json" +
					" --resources-to-import file://import.json --capabilities CAPABILITY_AUTO_EXPAND",
				"aws cloudformation wait change-set-create-complete" + in + " --change-set-name import",
				"aws cloudformation execute-change-set" + in + " --change-set-name import",
				"aws cloudformation wait stack-import-complete" + in,
			}
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
