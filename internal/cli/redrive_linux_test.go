package cli

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// TestRedriveAsks answers the questions of redrive on a terminal: only an explicit yes runs an event.
func TestRedriveAsks(t *testing.T) {
	t.Parallel()
	const question = "Run it? [y]es, [n]o, [a]ll, [q]uit: "
	for _, tt := range []struct {
		name    string
		answers []string
		want    []string // parts of the screen
		code    int
		left    int
	}{
		{"no, something else, yes", []string{"n", "sure", "y"}, []string{
			": DEPLOY of backend, tag v2, actor \\x1b[31mada, ", "It would be deployed: a new revision of ",
			": kept: the answer was no", ": deployed: ", "deployer: 1 message done, 1 kept"}, 1, 1},
		{"all", []string{"A"}, []string{": deployed: ", "deployer: 2 messages done, 0 kept"}, 0, 0},
		{"yes, quit", []string{"yes", "q"}, []string{"deployer: 1 message done, 1 kept"}, 1, 1},
		{"the end of input", []string{"\x04"}, []string{
			"deployer: error: the terminal was closed before the question was answered"}, 1, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			aws, url := emulatortest.Start(t, emulator.Options{})
			byName, err := cloud.CentralizedDev(t.Context(), url)
			must(t, err)
			_, err = byName["dev"].Push(t.Context(), "myproject_backend", "v2", "v2")
			must(t, err)
			_, err = byName["dev"].Push(t.Context(), "myproject_service_worker", "v2", "v2")
			must(t, err)
			const queue = "arn:aws:sqs:us-east-1:333333333333:failed"
			for _, service := range []string{"backend", "worker"} {
				event := `{"id":"e1-` + service + `","detail-type":"DEPLOY","source":"action.production","time":"` +
					time.Now().UTC().Format(time.RFC3339) + `","detail":{"service":"` + service +
					`","tag":"v2","actor":"\u001b[31mada"}}`
				aws.PutMessage(queue, emulator.Message{Body: []byte(event), SenderID: "AIDAIE6VAXUQU2DKHA7DK",
					Attributes: map[string]string{
						"RULE_ARN":   "arn:aws:events:us-east-1:333333333333:rule/myproject_deployer_deploy_prod",
						"TARGET_ARN": "arn:aws:lambda:us-east-1:333333333333:function:myproject_deployer_prod"}})
			}
			screen := newTerminal(t)
			c := exec.CommandContext(t.Context(), os.Args[0], "redrive", "-f", "prod.yaml", "--queue",
				"https://sqs.us-east-1.amazonaws.com/333333333333/failed")
			c.Dir = "../../examples/centralized-dev-ecr"
			c.Env = append(deployerEnv(url, accounts.Prod), "TERM=xterm")
			c.Stdin, c.Stdout, c.Stderr = screen.tty, screen.tty, screen.tty
			must(t, c.Start())
			for n, answer := range tt.answers {
				end := time.Now().Add(time.Minute)
				for strings.Count(screen.text(), question) <= n && time.Now().Before(end) {
					time.Sleep(time.Millisecond)
				}
				if answer != "\x04" {
					answer += "\n"
				}
				_, err := screen.keys.WriteString(answer)
				must(t, err)
			}
			_ = c.Wait()
			screen.tty.Close()
			<-screen.closed
			got := screen.text()
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is missing in %q", want, got)
				}
			}
			if left := len(aws.Queue(queue)); left != tt.left || c.ProcessState.ExitCode() != tt.code ||
				strings.Contains(got, "\x1b") {
				t.Errorf("exit code %d, want %d; %d messages left, want %d; screen %q", c.ProcessState.ExitCode(),
					tt.code,
					left, tt.left, got)
			}
		})
	}
}
