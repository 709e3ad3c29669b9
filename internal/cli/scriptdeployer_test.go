package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// setupDeployer makes `exec deployer` in a script start this test binary, and returns the names of the environment
// variables that the script has at its begin.
func setupDeployer(env *testscript.Env) (variables []string, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	bin := filepath.Join(env.WorkDir, ".bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return nil, err
	}
	env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
	env.Setenv(asDeployer, "1")
	for _, variable := range env.Vars {
		name, _, _ := strings.Cut(variable, "=")
		variables = append(variables, name)
	}
	return variables, os.Symlink(program, filepath.Join(bin, "deployer"))
}

// deployer is `deployer ARGUMENT...`, in a process that runs the command lines of scripts in turn. `exec deployer
// ARGUMENT...` starts a process: one that reads from `stdin`, or runs in the background.
func deployer(ts *testscript.TestScript, neg bool, args []string) {
	if exit := runDeployer(ts, args); (exit != 0) != neg {
		ts.Fatalf("deployer %v exited %d", args, exit)
	}
}

// exits is `exits CODE COMMAND`: the command `deployer …` or `exec deployer …` ends with that exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, command, code := args[0], args[1:], 0
	if command[0] == "exec" {
		err := ts.Exec(command[1], command[2:]...)
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			ts.Fatalf("running %v: %v", command, err)
		}
	} else {
		code = runDeployer(ts, command[1:])
	}
	if fmt.Sprint(code) != want {
		ts.Fatalf("%v exited %d, want %s", command, code, want)
	}
}

// runDeployer runs a command line in the script's directory with its environment, and returns the exit code.
func runDeployer(ts *testscript.TestScript, args []string) (exit int) {
	line := typedLine{Dir: ts.MkAbs("."), Args: args}
	for _, name := range of(ts).names(ts) {
		line.Env = append(line.Env, name+"="+ts.Getenv(name))
	}
	a, err := typed(line)
	ts.Check(err)
	if a.Stdout != "" && !strings.HasSuffix(a.Stdout, "\n") { // a terminal's next line would be glued to it
		ts.Fatalf("deployer %v: standard output does not end with a newline: %q", args, a.Stdout)
	}
	for _, text := range []string{a.Stdout, a.Stderr} {
		if again := repeats(text); again != "" {
			ts.Fatalf("deployer %v: %s", args, again)
		}
	}
	fmt.Fprint(ts.Stdout(), a.Stdout)
	fmt.Fprint(ts.Stderr(), a.Stderr)
	return a.Exit
}

// names returns the names of the environment variables that are set in a script: those of its begin, those that its
// lines `env NAME=VALUE` set, and those of `account` and `role`.
func (w *world) names(ts *testscript.TestScript) []string {
	if !w.complete {
		text, err := os.ReadFile(filepath.Join("testdata", ts.Name()+".txtar"))
		ts.Check(err)
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "env" {
				for _, field := range fields[1:] {
					name, _, _ := strings.Cut(field, "=")
					w.variables = append(w.variables, name)
				}
			}
		}
		w.complete = true
	}
	if w.Emulator == nil {
		return w.variables
	}
	return append(w.variables, "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
}
