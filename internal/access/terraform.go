package access

import (
	"fmt"
	"regexp"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// attribute is an attribute of a resource. Its value is a string, an expression, or a
// document that is written with jsonencode.
type attribute struct {
	name  string
	value any
}

// expression is a Terraform expression, written as it is.
type expression string

// resource returns a resource in the format of `terraform fmt`.
func resource(kind, name, comment string, attributes ...attribute) string {
	width := 0
	for _, a := range attributes {
		switch a.value.(type) {
		case string, expression: // only values on one line are aligned
			width = max(width, len(a.name))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nresource %q %q {\n", comment, kind, name)
	for _, a := range attributes {
		switch v := a.value.(type) {
		case expression:
			fmt.Fprintf(&b, "  %-*s = %s\n", width, a.name, v)
		case string:
			fmt.Fprintf(&b, "  %-*s = %s\n", width, a.name, literal(v, ""))
		default:
			fmt.Fprintf(&b, "  %s = jsonencode(%s)\n", a.name, literal(v, "  "))
		}
	}
	return b.String() + "}\n"
}

// memberName matches the name of a member at the start of a line of JSON.
var memberName = regexp.MustCompile(`(?m)^( *"(?:[^"\\]|\\.)*"): `)

// literal returns v in Terraform's language, which is JSON with other spacing, in which
// ${…} and %{…} are templates.
func literal(v any, prefix string) string {
	json := strings.TrimSuffix(text(v, prefix), "\n")
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(memberName.ReplaceAllString(json, "$1 : "))
}

// repositoryResources returns one resource of a kind for each repository.
func repositoryResources(kind string, all []repository, policy any) string {
	names := map[string]int{}
	var resources []string
	for _, r := range all {
		name := identifier(r.name)
		names[name]++
		if names[name] > 1 { // the same name in another registry, or one that differs only in dots
			name = fmt.Sprintf("%s_%d", name, names[name])
		}
		resources = append(resources, resource(kind, name, "# In "+of(r.registry)+".", attribute{"repository", r.name},
			attribute{"policy", policy}))
	}
	return strings.Join(resources, "\n")
}

func roleResources(env *environment.Environment, name string, r role) string {
	id := identifier(name)
	in := "# In " + image.Registry{AccountID: env.AccountID, Region: env.Region}.String() + "."
	return resource("aws_iam_role", id, in, attribute{"name", name}, attribute{"assume_role_policy", r.Trust}) + "\n" +
		resource("aws_iam_role_policy", id, in, attribute{"name", "deploy"},
			attribute{"role", expression("aws_iam_role." + id + ".id")}, attribute{"policy", r.Rights})
}

var notIdentifier = regexp.MustCompile(`[^A-Za-z0-9_-]`)

// identifier returns a name as a Terraform identifier.
func identifier(name string) string {
	id := notIdentifier.ReplaceAllString(name, "_")
	if id[0] >= '0' && id[0] <= '9' {
		return "_" + id
	}
	return id
}
