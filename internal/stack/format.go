package stack

import (
	"fmt"
	"slices"
	"strings"

	"deployer/internal/environment"
)

// Formats are the names of the formats that [Format] writes.
var Formats = []string{"sam", "samconfig", "tfvars", "json"}

// RegistryFormats are the names of the formats that [FormatRegistry] writes.
var RegistryFormats = []string{"json", "tfvars", "change-set", "import"}

// FormatRegistry formats the parameters of [RegistryParameters]: "json" for `aws cloudformation deploy
// --parameter-overrides file://FILE`, "tfvars" as a Terraform variable for the parameters of an
// aws_cloudformation_stack, "change-set" and "import" as the files of `aws cloudformation create-change-set` with
// --parameters and --resources-to-import.
func FormatRegistry(format string, parameters []Parameter) (string, error) {
	switch format {
	case "json":
		return overrides(parameters), nil
	case "tfvars":
		return tfvars("registry_parameters", parameters), nil
	case "change-set":
		return parameterObjects(parameters), nil
	case "import":
		return ResourcesToImport(parameters), nil
	}
	return "", fmt.Errorf("the format %q is unknown: choose one of %s", format, strings.Join(RegistryFormats, ", "))
}

// Format formats parameters for the tool that installs the stack: "sam" for
// `sam deploy --parameter-overrides $(…)`, "samconfig" as a samconfig.toml for
// `sam deploy --config-env`, "tfvars" as a Terraform variable for the parameters of
// an aws_cloudformation_stack, "json" for `aws cloudformation deploy --parameter-overrides file://FILE`.
func Format(format string, env *environment.Environment, parameters []Parameter) (string, error) {
	switch format {
	case "sam":
		return lines("%s=%s\n", quoteEmpty(parameters, `""`)), nil
	case "samconfig":
		return samconfig(env, parameters), nil
	case "tfvars":
		return tfvars("deployer_parameters", parameters), nil
	case "json":
		return overrides(parameters), nil
	}
	return "", fmt.Errorf("the format %q is unknown: choose one of %s", format, strings.Join(Formats, ", "))
}

// tfvars returns a Terraform variable, aligned as by terraform fmt.
func tfvars(name string, parameters []Parameter) string {
	width := 0
	for _, p := range parameters {
		width = max(width, len(p.Name))
	}
	return name + " = {\n" + lines(fmt.Sprintf("  %%-%ds = %%q\n", width), parameters) + "}\n"
}

func lines(format string, parameters []Parameter) string {
	var s strings.Builder
	for _, p := range parameters {
		fmt.Fprintf(&s, format, p.Name, p.Value)
	}
	return s.String()
}

// quoteEmpty returns the parameters with quotes for an empty value. SAM refuses NAME= without a value, and
// removes quotes around one (aws-sam-cli, samcli/cli/types.py, CfnParameterOverridesType).
func quoteEmpty(parameters []Parameter, quotes string) []Parameter {
	quoted := slices.Clone(parameters)
	for i := range quoted {
		if quoted[i].Value == "" {
			quoted[i].Value = quotes
		}
	}
	return quoted
}

func samconfig(env *environment.Environment, parameters []Parameter) string {
	return fmt.Sprintf(`version = 0.1

[%s.deploy.parameters]
stack_name = %q
region = %q
resolve_s3 = true
capabilities = "CAPABILITY_NAMED_IAM"
fail_on_empty_changeset = false
parameter_overrides = [
%s]
`, env.Name, Name(env), env.Region, lines("  \"%s=%s\",\n", quoteEmpty(parameters, `\"\"`)))
}
