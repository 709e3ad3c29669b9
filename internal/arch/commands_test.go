package arch_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// commandFaults are what AWS CLI v1 or v2 does not understand, or not as the other.
var commandFaults = []struct {
	pattern *regexp.Regexp
	why     string
}{
	{regexp.MustCompile(`\baws [a-z-]+ [a-z-]+ .*--(?:value|secret-string|` +
		`[a-z-]*(?:data|document|pattern|policy|text))[ =]['"]?https?://`),
		"v1 fetches a value that is a URL; write it to a file, and give file://FILE"},
	{regexp.MustCompile(`\baws logs tail\b`), "v1 has no such command; use filter-log-events"},
	{regexp.MustCompile(`\baws configure list-profiles\b`), "v1 has no such command"},
	{regexp.MustCompile(`\baws sso login\b(?:[^v]|v[^2])*$`), "v1 has no such command; say that it is v2's"},
	{regexp.MustCompile(`\baws lambda invoke\b.*--payload [^f]`),
		"v2 expects base64 in place of the text; give fileb://FILE"},
	{regexp.MustCompile(`--cli-binary-format`), "v1 has no such option; give fileb://FILE"},
	{regexp.MustCompile(`\baws .*--no-cli-pager`), "v1 has no such option"},
}

// commandFault returns why a line's command does not work with AWS CLI v1 and v2; "" if it does.
func commandFault(line string) string {
	if !strings.Contains(line, "aws ") && !strings.Contains(line, "--cli-") {
		return "" // no pattern matches, and looking for words takes long
	}
	for _, fault := range commandFaults {
		if fault.pattern.MatchString(line) {
			return fault.why
		}
	}
	return ""
}

// TestAWSCommands checks that the commands of the documentation, the examples and the hints work with both
// versions of the AWS CLI.
func TestAWSCommands(t *testing.T) {
	t.Parallel()
	checked := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", "bin", "dist"}, d.Name()):
			return fs.SkipDir
		case d.IsDir() || strings.HasSuffix(path, "_test.go"),
			!slices.Contains([]string{".md", ".go", ".yaml", ".yml", ".txtar"}, filepath.Ext(path)):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		joinedLines := strings.ReplaceAll(string(text), "\\\n", " ")
		for line := range strings.Lines(joinedLines) {
			if strings.Contains(line, "aws ") {
				checked++
			}
			if why := commandFault(strings.TrimRight(line, "\n")); why != "" {
				t.Errorf("%s: %s\n\t%s", path, why, strings.TrimSpace(line))
			}
		}
		return nil
	})
	if err != nil || checked < 30 {
		t.Errorf("%d lines checked: %v", checked, err)
	}
}

// TestCommandFault has values that v1 does not fetch, too: it excepts --url and --queue-url.
func TestCommandFault(t *testing.T) {
	t.Parallel()
	for line, fault := range map[string]bool{
		"aws ssm put-parameter --name n --value https://hooks.slack.com/x":                                  true,
		"aws ssm put-parameter --name n --value 'https://hooks.slack.com/x'":                                true,
		"aws secretsmanager create-secret --name n --secret-string http://x":                                true,
		"aws ssm put-parameter --name n --value file://webhook.txt":                                         false,
		"aws iam create-open-id-connect-provider --url https://token.actions.githubusercontent.com":         false,
		"aws sqs receive-message --queue-url https://sqs.us-east-1.amazonaws.com/111111111111/q":            false,
		"aws logs tail /aws/lambda/f":                                                                       true,
		"aws lambda invoke --function-name f --payload '{}' out.json":                                       true,
		"aws lambda invoke --function-name f --payload fileb://event.json out.json":                         false,
		"aws lambda invoke --function-name f --payload '{}' --cli-binary-format raw-in-base64-out out.json": true,
		"aws sso login":                       true,
		"aws sso login # with AWS CLI v2; or": false,
	} {
		if got := commandFault(line); (got != "") != fault {
			t.Errorf("%s: %q, want a fault: %v", line, got, fault)
		}
	}
}
