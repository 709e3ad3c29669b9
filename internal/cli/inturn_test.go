package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// inTurn is the value of [asDeployer] that makes the test binary run command lines in turn. Starting a process takes
// longer than most commands do.
const inTurn = "in turn"

// A typedLine is a command line that is run in a directory with an environment of its own.
type typedLine struct {
	Dir       string
	Args, Env []string
	Together  bool // standard error is standard output
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

func runAll(in *json.Decoder, out *json.Encoder) error {
	errs := os.Stderr
	for {
		var line typedLine
		switch err := in.Decode(&line); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		os.Stderr = errs // completion discards it
		a, err := line.run()
		if err == nil {
			err = out.Encode(a)
		}
		if err != nil {
			return err
		}
	}
}

// run runs the command line in this process. Standard input has nothing, and is no terminal.
func (l typedLine) run() (a answer, err error) {
	os.Clearenv()
	for _, variable := range append(l.Env, "PWD="+l.Dir, "AWS_SDK_UA_APP_ID="+commandOf(l.Args)) {
		name, value, _ := strings.Cut(variable, "=")
		err = errors.Join(err, os.Setenv(name, value))
	}
	in, none, pipeErr := os.Pipe()
	if err = errors.Join(err, pipeErr, os.Chdir(l.Dir)); err != nil {
		return a, err
	}
	defer in.Close()
	none.Close()
	os.Stdin = in
	var stdout, stderr bytes.Buffer
	errs := &stderr
	if l.Together {
		errs = &stdout
	}
	a.Exit = Run(l.Args, &stdout, errs)
	a.Stdout, a.Stderr = stdout.String(), stderr.String()
	return a, nil
}

// A process runs command lines, one after the other.
type process struct {
	command *exec.Cmd
	stdin   io.Closer
	in      *json.Encoder
	out     *json.Decoder
	stderr  bytes.Buffer // what the process itself prints, such as a panic
}

// idle are the processes that run no command line now.
var idle struct {
	sync.Mutex
	processes []*process
}

// typed runs a command line in an idle process, or starts one.
func typed(line typedLine) (a answer, err error) {
	p, err := takeProcess()
	if err != nil {
		return a, err
	}
	if err = p.in.Encode(line); err == nil {
		err = p.out.Decode(&a)
	}
	if err != nil {
		p.stdin.Close()
		return a, fmt.Errorf("%v: %w, %v\n%s", line.Args, err, p.command.Wait(), &p.stderr)
	}
	idle.Lock()
	defer idle.Unlock()
	idle.processes = append(idle.processes, p)
	return a, nil
}

func takeProcess() (*process, error) {
	idle.Lock()
	defer idle.Unlock()
	if n := len(idle.processes); n > 0 {
		p := idle.processes[n-1]
		idle.processes = idle.processes[:n-1]
		return p, nil
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{command: exec.Command(program)}
	p.command.Env = append(os.Environ(), asDeployer+"="+inTurn)
	p.command.Stderr = &p.stderr
	in, err := p.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.stdin, p.in, p.out = in, json.NewEncoder(in), json.NewDecoder(out)
	return p, p.command.Start()
}

// endProcesses ends the idle processes.
func endProcesses() {
	idle.Lock()
	defer idle.Unlock()
	for _, p := range idle.processes {
		p.stdin.Close()
		_ = p.command.Wait()
	}
	idle.processes = nil
}

// A runner runs command lines against emulated AWS.
type runner struct{ url string }

// run runs the command line in a directory with an account's credentials, "" for none.
func (r runner) run(
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
	a, err := typed(typedLine{Dir: dir, Args: args, Env: variables})
	must(t, err)
	return a.Stdout, a.Stderr, a.Exit
}
