package migrate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	const versions = "schema_version: 6 → 7"
	tests := []struct {
		name, in, want string
		notes          []string
	}{
		{"dev", "env: dev\nschema_version: 6\n", "env: dev\necr_strategy: \"local\"\nschema_version: 7\n",
			[]string{`ecr_strategy: "local" (ecr_strategy is not set, and env is dev)`, versions}},
		{"dev wins over an account", "schema_version: 6\nenv: dev\necr_account_id: 111111111111\n",
			"schema_version: 7\nenv: dev\necr_strategy: \"local\"\necr_account_id: 111111111111\n",
			[]string{`ecr_strategy: "local" (ecr_strategy is not set, and env is dev)`, versions}},
		{"account", "env: prod\necr_account_id: '012345670123'\nschema_version: 6",
			"env: prod\necr_strategy: \"cross_account\"\necr_account_id: '012345670123'\nschema_version: 7",
			[]string{`ecr_strategy: "cross_account" (ecr_strategy is not set, and ecr_account_id is)`, versions}},
		{"account null", "env: prod\necr_account_id: null\nschema_version: 6\n",
			"env: prod\necr_strategy: \"local\"\necr_account_id: null\nschema_version: 7\n",
			[]string{`ecr_strategy: "local" (ecr_strategy is not set, and neither is ecr_account_id)`, versions}},
		{"comments, blank lines and order stay",
			"# top\n\nschema_version: 6 # old\n\nproject:   p\nenv: prod   # the real one\n# next\nservices:\n" +
				"    - {name: web}\n",
			"# top\n\nschema_version: 7 # old\n\nproject:   p\nenv: prod   # the real one\necr_strategy: \"local\"\n" +
				"# next\nservices:\n    - {name: web}\n", nil},
		{"carriage returns", "env: dev\r\nschema_version: 6\r\n",
			"env: dev\r\necr_strategy: \"local\"\r\nschema_version: 7\r\n", nil},
		{"byte order mark", "\ufeffenv: dev\nschema_version: 6\n",
			"\ufeffenv: dev\necr_strategy: \"local\"\nschema_version: 7\n", nil},
		{"no end of the last line", "schema_version: 6\nenv: dev",
			"schema_version: 7\nenv: dev\necr_strategy: \"local\"", nil},
		{"no end of the last line, carriage returns", "schema_version: 6\r\nenv: dev",
			"schema_version: 7\r\nenv: dev\r\necr_strategy: \"local\"", nil},
		{"indented", "  env: dev\n  schema_version: '6'\n",
			"  env: dev\n  ecr_strategy: \"local\"\n  schema_version: '7'\n", nil},
		{"anchors and numbers", "n: &n 0x1F\nm: *n\nenv: dev\nschema_version: 6\nf: 1e3\n",
			"n: &n 0x1F\nm: *n\nenv: dev\necr_strategy: \"local\"\nschema_version: 7\nf: 1e3\n", nil},
		{"strategy null", "env: dev\necr_strategy: null # later\nschema_version: 6\n",
			"env: dev\necr_strategy: \"local\" # later\nschema_version: 7\n", nil},
		{"strategy empty", "env: dev\necr_strategy:\nschema_version: 6\n",
			"env: dev\necr_strategy: \"local\"\nschema_version: 7\n", nil},
		{"strategy quoted empty", "env: dev\necr_strategy: \"\"\nschema_version: 6\n",
			"env: dev\necr_strategy: \"local\"\nschema_version: 7\n", nil},
		{"strategy set", "env: dev\necr_strategy: cross_account\nschema_version: 6\n",
			"env: dev\necr_strategy: cross_account\nschema_version: 7\n",
			[]string{`ecr_strategy is set already: "cross_account"`, versions}},
		{"no version", "env: dev\n", "env: dev\necr_strategy: \"local\"\n",
			[]string{`ecr_strategy: "local" (ecr_strategy is not set, and env is dev)`,
				"there is no schema_version, so the file is older than 6: it stays so, because the earlier " +
					"migrations come first"}},
		{"older", "env: dev\nschema_version: 4\n", "env: dev\necr_strategy: \"local\"\nschema_version: 4\n",
			[]string{`ecr_strategy: "local" (ecr_strategy is not set, and env is dev)`,
				"schema_version is 4 and stays so, because the migrations up to 6 come first"}},
		{"done", "env: dev\nschema_version: 7\n", "env: dev\nschema_version: 7\n",
			[]string{"schema_version is 7: nothing to do"}},
		{"the newest known", "env: dev\nschema_version: 28\n", "env: dev\nschema_version: 28\n",
			[]string{"schema_version is 28: nothing to do"}},
		{"newer than known", "env: dev\nschema_version: 29\n", "env: dev\nschema_version: 29\n",
			[]string{"schema_version 29 is newer than 28, the newest known version: nothing to do"}},
		{"wide characters", "name: \"é\"\nenv: dev\nschema_version: 6\n",
			"name: \"é\"\nenv: dev\necr_strategy: \"local\"\nschema_version: 7\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := Plan("x.yaml", []byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(c.New)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.notes, c.Notes); tt.notes != nil && diff != "" {
				t.Error(diff)
			}
			again, err := Plan("x.yaml", c.New)
			if err != nil || again.Changed() {
				t.Errorf("a second time changes it: %q, %v", again.New, err)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"no environment", "zones: []\n", "x.yaml:1:1: the file has no `env` key (add the line: env: dev)"},
		{"environment merged in", "a: &a {env: dev}\n<<: *a\nschema_version: 6\n",
			"x.yaml:1:1: `env` is not set on a line of its own (add the line: env: dev)"},
		{"environment empty", "env:\nschema_version: 6\n",
			"x.yaml:1:1: `env` is not set on a line of its own (add the line: env: dev)"},
		{"two documents", "env: dev\n---\nenv: prod\n",
			"x.yaml:2:1: a second YAML document begins here (keep one document, and one environment, per file)"},
		{"empty", "",
			"x.yaml: the file is empty: it has no `env` key (describe the environment: project, env, region, " +
				"ecr_strategy)"},
		{"only comments", "# env: dev\n\n# more\n",
			"x.yaml: the file is empty: it has no `env` key (describe the environment: project, env, region, " +
				"ecr_strategy)"},
		{"a list", "- env: dev\n", "x.yaml:1:1: the file is a list, not keys and values: it has no `env` key"},
		{"binary", "env: dev\nx: \x7fELF\n",
			"x.yaml:2:4: the file is not text: it has the control character 0x7f (remove it, if this is an " +
				"environment file)"},
		{"zero bytes", "\x00\x00",
			"x.yaml:1:1: the file is not text: it has the control character 0x00 (remove it, if this is an " +
				"environment file)"},
		{"not UTF-8", "env: dev # \xe9\nschema_version: 6\n",
			"x.yaml:1:12: the file is not text: byte 0xe9 is not UTF-8 (save it as UTF-8, if this is an environment " +
				"file)"},
		{"UTF-16", "\xff\xfee\x00n\x00v\x00",
			"x.yaml:1:1: the file is not text: byte 0xff is not UTF-8 (save it as UTF-8, if this is an environment " +
				"file)"},
		{"carriage returns alone", "env: dev\rschema_version: 6\r",
			"x.yaml:1:9: a carriage return without a line feed: YAML ends the line here, other tools do not (end " +
				"lines with a line feed, or with both)"},
		{"10 MB", "env: dev\n" + strings.Repeat("# more\n", 10<<20/7),
			"x.yaml: the file has more than 1048576 bytes, and is no environment file (is it the right file?)"},
		{"twice, further in", "env: dev\nschema_version: 6\nservices:\n  - name: a\n    name: b\n",
			"x.yaml:5:5: `services[0].name` is set a second time, after line 4 (remove one of the two)"},
		{"braces begun below", "# top\n{\nenv: dev}\n",
			"x.yaml:2:1: the file's keys are in braces, so that no line can be added (write one key per line, or " +
				"set ecr_strategy by hand)"},
		{"twice", "env: dev\nschema_version: 6\nenv: prod\n",
			"x.yaml:3:1: `env` is set a second time, after line 1 (remove one of the two)"},
		{"braces", "{env: dev, schema_version: 6}\n",
			"x.yaml:1:1: the file's keys are in braces, so that no line can be added (write one key per line, or " +
				"set ecr_strategy by hand)"},
		{"tab", "env: dev\n\tschema_version: 6\n",
			"x.yaml:2:1: reading YAML: found a tab character that violates indentation (correct it first)"},
		{"env in several lines", "env: >-\n  dev\nschema_version: 6\n",
			"x.yaml:1:1: `env` is not on one line, after which another could be added (write it like: env: dev)"},
		{"version not a number", "env: dev\nschema_version: six\n",
			"x.yaml:2:17: `schema_version` is not a whole number (write it like 6)"},
		{"version spelt oddly", "env: dev\nschema_version: 06\n",
			"x.yaml:2:17: `schema_version` is written in a form that cannot be changed in place (write it as: " +
				"schema_version: 6)"},
		{"strategy by alias", "a: &a \"\"\nenv: dev\necr_strategy: *a\nschema_version: 6\n",
			"x.yaml:3:1: `ecr_strategy` is empty in a form that cannot be changed in place (write it like: " +
				"ecr_strategy: \"local\")"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := Plan("x.yaml", []byte(tt.in))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
			if string(c.New) != tt.in {
				t.Errorf("what was refused is changed to %q", c.New)
			}
			if none := slices.Contains([]string{"no environment", "empty", "only comments", "a list"},
				tt.name); errors.Is(err, environment.ErrNotEnvironment) != none {
				t.Errorf("%v wraps ErrNotEnvironment, or should", err)
			}
		})
	}
}

// TestGeneratedFiles migrates random files, and checks that only the expected lines
// change, and that a second migration changes nothing.
func TestGeneratedFiles(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(1, 2))
	pick := func(options ...string) string { return options[dice.IntN(len(options))] }
	for range 2000 {
		lines := []string{"env: " + pick("dev", "staging", "'prod'", "\"prod\"", "prod  # x")}
		for _, line := range []string{
			pick("schema_version: 6", "schema_version: \"6\"", "schema_version: 6   # six", "schema_version: 5",
				"schema_version: 8"),
			pick("ecr_account_id: null", "ecr_account_id: 012345670123", "ecr_account_id: \"026148122259\"",
				"ecr_account_id: ~"),
			pick("ecr_strategy:", "ecr_strategy: ~ # none", "ecr_strategy: \"\"", "ecr_strategy: local"),
			pick("services:\n  - name: web-api\n\n  - {name: b, n: 0x10}", "services: [a, b]", "list:\n- &a 1\n- *a"),
			pick("# a comment", "", "text: |\n  env: prod\n  schema_version: 6\n", "quoted: \"a: b # c\""),
			pick("n: 1_000", "n: 0o17", "n: .5", "n: !!str 6", "é: ü"),
		} {
			if dice.IntN(3) > 0 {
				lines = append(lines, line)
			}
		}
		dice.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		newline := pick("\n", "\n", "\r\n")
		in := pick("", "", "\ufeff") + strings.Join(lines, "\n") + pick("\n", "", "\n\n")
		in = strings.ReplaceAll(in, "\n", newline)
		c, err := Plan("x.yaml", []byte(in))
		if err != nil {
			t.Fatalf("%q: %v", in, err)
		}
		if err := onlyTheLines(in, string(c.New)); err != nil {
			t.Fatalf("%q\nbecame\n%q: %v", in, c.New, err)
		}
		if again, err := Plan("x.yaml", c.New); err != nil || again.Changed() {
			t.Fatalf("%q\nbecame\n%q\nand then\n%q, %v", in, c.New, again.New, err)
		}
	}
}

// onlyTheLines returns an error unless only the lines of ecr_strategy and
// schema_version differ.
func onlyTheLines(before, after string) error {
	keep := func(s string) []string {
		var kept []string
		for _, line := range strings.Split(s, "\n") {
			plain := strings.TrimPrefix(line, "\ufeff")
			if !strings.HasPrefix(plain, "ecr_strategy") && !strings.HasPrefix(plain, "schema_version") {
				kept = append(kept, strings.TrimSuffix(line, "\r"))
			}
		}
		return kept
	}
	if diff := cmp.Diff(keep(before), keep(after)); diff != "" {
		return fmt.Errorf("other lines differ:\n%s", diff)
	}
	return nil
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func FuzzPlan(f *testing.F) {
	f.Add([]byte("env: dev\nschema_version: 6\n"))
	f.Add([]byte("\ufeffenv: prod\r\necr_account_id: 012345670123\r\nschema_version: '6'\r\necr_strategy: ~"))
	f.Add([]byte("a: &a {env: dev}\n<<: *a\nenv: x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Plan("x.yaml", data)
		if err != nil {
			var faults environment.Faults
			if !errors.As(err, &faults) {
				t.Errorf("Plan(%q): %v is not Faults", data, err)
			}
			return
		}
		if again, err := Plan("x.yaml", c.New); err != nil || again.Changed() {
			t.Errorf("Plan(%q) = %q, and then %q, %v", data, c.New, again.New, err)
		}
	})
}
