package environment

import (
	"regexp"
	"strings"
	"testing"
)

// forms are the checks of names, with the regular expressions that they are equal to.
var forms = map[string]struct {
	check func(string) bool
	form  *regexp.Regexp
}{
	"ECS name": {validECSName, regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)},
	"project":  {validProject, regexp.MustCompile(`^[a-z0-9]+(?:[_-]+[a-z0-9]+)*$`)},
	"name":     {validName, regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)},
	"parameter": {func(s string) bool { return reservedParameter(s) || wrongParameter(s) == "" }, regexp.MustCompile(
		`^(?:(?:/[A-Za-z0-9_.-]+){1,15}|/aws/reference/secretsmanager/[A-Za-z0-9_.+=@/-]{1,512})$`)},
	"topic": {func(s string) bool { return !strings.HasSuffix(wrongTopic(&Environment{}, s), " SNS topic") },
		regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z]{2,}(?:-[a-z]+)+-[0-9]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$`)},
}

// reservedParameter reports whether s is refused only because SSM reserves its first part.
func reservedParameter(s string) bool { return strings.Contains(wrongParameter(s), "reserves") }

func checkForms(t *testing.T, s string) {
	t.Helper()
	for name, f := range forms {
		if got, want := f.check(s), f.form.MatchString(s); got != want {
			t.Errorf("%s %q: %v, want %v", name, s, got, want)
		}
	}
}

var formSeeds = []string{
	"", "a", "\n", "a\n", "é", "A", "-", "_", "-a", "a-", "_a", "a_", "a-_b", "a--b", "my_project", "My-Project", "a.b",
	strings.Repeat("a", 255), strings.Repeat("a", 256), "/", "/a", "a/b", "/my project", "/aws/reference/a+=@.b",
	"/aws/reference/secretsmanager/a+=@.b", "/aws/reference/secretsmanager/", "/aws/x", "//a", "/a/", "/a/b_.-",
	strings.Repeat("/a", 15), strings.Repeat("/a", 16),
	"arn:aws:sns:us-east-1:333333333333:t", "arn:aws-cn:sns:cn-north-1:333333333333:t_-9",
	"arn:aws:sns::333333333333:t", "arn:aws1:sns:us-east-1:333333333333:t", "arn:aws:sqs:us-east-1:333333333333:t",
	"arn:aw:sns:r:333333333333:t", "arn:aws:sns:us-east-1:33333333333:t", "arn:aws:sns:us-east-1:333333333333:",
	"arn:aws:sns:us-east-1:333333333333:t:u", "arn:aws:sns:us-east-1:333333333333",
}

func TestNameForms(t *testing.T) {
	t.Parallel()
	for _, s := range formSeeds {
		checkForms(t, s)
	}
}

// FuzzNameForms looks for a text of which a check and its regular expression differ.
func FuzzNameForms(f *testing.F) {
	for _, s := range formSeeds {
		f.Add(s)
	}
	f.Fuzz(checkForms)
}
