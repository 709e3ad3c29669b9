package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// inTurn is the value of [asDeployer] that makes the test binary run command lines in turn. Starting a process takes
// longer than most commands do.
const inTurn = "in turn"

// A typedLine is a command line that is run in a directory with an environment of its own.
type typedLine struct {
	Dir       string
	Args, Env []string
}

// An answer is what a command line printed, and its exit code.
type answer struct {
	Stdout, Stderr string
	Exit           int
}

// runInTurn runs the command lines that it reads from in, and writes their answers to out.
func runInTurn(in io.Reader, out io.Writer) {
	if err := runAll(json.NewDecoder(in), json.NewEncoder(out)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func runAll(in *json.Decoder, out *json.Encoder) (err error) {
	if os.Stdin, err = os.Open(os.DevNull); err != nil {
		return err
	}
	for {
		var c typedLine
		switch err := in.Decode(&c); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		os.Clearenv()
		for _, variable := range c.Env {
			name, value, _ := strings.Cut(variable, "=")
			if err := os.Setenv(name, value); err != nil {
				return err
			}
		}
		if err := os.Chdir(c.Dir); err != nil {
			return err
		}
		var stdout, stderr strings.Builder
		exit := Run(c.Args, &stdout, &stderr)
		if err := out.Encode(answer{stdout.String(), stderr.String(), exit}); err != nil {
			return err
		}
	}
}

// A runner runs command lines in turn in one process, against emulated AWS.
type runner struct {
	url    string
	in     *json.Encoder
	out    *json.Decoder
	stderr bytes.Buffer // what the process itself prints, such as a panic
}

// newRunner starts a runner's process, which ends with the test.
func newRunner(t *testing.T, url string) *runner {
	t.Helper()
	program, err := filepath.Abs(os.Args[0])
	must(t, err)
	r := &runner{url: url}
	c := exec.CommandContext(t.Context(), program)
	c.Env = append(os.Environ(), asDeployer+"="+inTurn)
	c.Stderr = &r.stderr
	in, err := c.StdinPipe()
	must(t, err)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	t.Cleanup(func() {
		in.Close()
		_ = c.Wait() // run reports what is wrong
	})
	r.in, r.out = json.NewEncoder(in), json.NewDecoder(out)
	return r
}

// run runs the command line in a directory with an account's credentials, "" for none.
func (r *runner) run(
	t *testing.T, dir, account string, args []string, env ...string,
) (stdout, stderr string, exit int) {
	t.Helper()
	variables := append(deployerEnv(r.url, account), "AWS_CONFIG_FILE=none", "AWS_SHARED_CREDENTIALS_FILE=none")
	variables = append(variables, env...)
	if account == "" {
		variables = slices.DeleteFunc(variables, func(v string) bool {
			return strings.HasPrefix(v, "AWS_ACCESS_KEY_ID=") || strings.HasPrefix(v, "AWS_SECRET_ACCESS_KEY=")
		})
	}
	var a answer
	err := r.in.Encode(typedLine{Dir: dir, Args: args, Env: variables})
	if err == nil {
		err = r.out.Decode(&a)
	}
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, &r.stderr)
	}
	return a.Stdout, a.Stderr, a.Exit
}
