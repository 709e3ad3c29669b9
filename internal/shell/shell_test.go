package shell_test

import (
	"os/exec"
	"testing"

	"deployer/internal/shell"
)

func TestCommand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"no arguments", nil, "deployer"},
		{"plain", []string{"deploy", "-f", "project/dev.yaml", "task:nightly", "v1.2+3", "a=b"},
			"deployer deploy -f project/dev.yaml task:nightly v1.2+3 a=b"},
		{"empty", []string{"resolve", "-e", ""}, "deployer resolve -e ''"},
		{"a space", []string{"validate", "my file.yaml"}, "deployer validate 'my file.yaml'"},
		{"a quote", []string{"send", "--reason", "it's"}, `deployer send --reason 'it'\''s'`},
		{"a variable and a pattern", []string{"$HOME", "*", "~/dev.yaml", "{a,b}", "a;b", "a\nb"},
			"deployer '$HOME' '*' '~/dev.yaml' '{a,b}' 'a;b' 'a\nb'"},
		{"zsh's path of a command", []string{"=ls"}, "deployer '=ls'"},
		{"other letters", []string{"größe"}, "deployer 'größe'"},
	} {
		if got := shell.Command(tt.args...); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// FuzzQuote asks a real shell to read what Quote writes.
func FuzzQuote(f *testing.F) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		f.Skip("no sh here: ", err)
	}
	for _, word := range []string{"", "a", "it's", "$HOME", "a b\n", `\`, "'", "-n", "*"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		for _, b := range []byte(word) {
			if b == 0 {
				t.Skip("no argument has a zero byte")
			}
		}
		got, err := exec.CommandContext(t.Context(), sh, "-c", "printf %s "+shell.Quote(word)+"; printf .").Output()
		if err != nil || string(got) != word+"." {
			t.Errorf("sh reads %s as %q (%v), want %q", shell.Quote(word), got, err, word)
		}
	})
}
