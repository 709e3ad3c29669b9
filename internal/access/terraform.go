package access

import (
	"fmt"
	"regexp"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// attribute is one of a resource; a value that is not a string is a document,
// and one of type expression is written as it is.
type attribute struct {
	name  string
	value any
}

type expression string

// resource returns a resource as `terraform fmt` leaves it.
func resource(kind, name, comment string, attributes ...attribute) string {
	width := 0
	for _, a := range attributes {
		switch a.value.(type) {
		case string, expression: // what is longer than a line stands alone
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

// memberName is the name of a member, at the beginning of a line of JSON.
var memberName = regexp.MustCompile(`(?m)^( *"(?:[^"\\]|\\.)*"): `)

// literal returns v in Terraform's language. That takes JSON as it is, but has
// its own idea of where spaces go, and reads ${…} and %{…} as templates.
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
		if names[name]++; names[name] > 1 { // of another registry, or one that differs only in its dots
			name = fmt.Sprintf("%s_%d", name, names[name])
		}
		resources = append(resources, resource(kind, name, "# In "+of(r.Registry)+".", attribute{"repository", r.name}, attribute{"policy", policy}))
	}
	return strings.Join(resources, "\n")
}

func roleResources(env *environment.Environment, name string, r role) string {
	id := identifier(name)
	in := "# In " + image.Registry{AccountID: env.AccountID, Region: env.Region}.String() + "."
	return resource("aws_iam_role", id, in, attribute{"name", name}, attribute{"assume_role_policy", r.Trust}) + "\n" +
		resource("aws_iam_role_policy", id, in, attribute{"name", "deploy"}, attribute{"role", expression("aws_iam_role." + id + ".id")}, attribute{"policy", r.Rights})
}

var notIdentifier = regexp.MustCompile(`[^A-Za-z0-9_-]`)

// identifier returns a name as Terraform takes it.
func identifier(name string) string {
	id := notIdentifier.ReplaceAllString(name, "_")
	if id[0] >= '0' && id[0] <= '9' {
		return "_" + id
	}
	return id
}
