package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/rogpeppe/go-internal/testscript"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/api"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/cloud"
)

// TestScripts runs the command line as people do: testdata/NAME.txtar, by topic.
func TestScripts(t *testing.T) {
	t.Parallel()
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	events, err := filepath.Abs("../../events")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("EXAMPLES", examples)
			env.Setenv("EVENTS", events)
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			variables, err := setupDeployer(env)
			env.Values["world"] = &world{variables: variables}
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"deployer": deployer, "exits": exits,
			"account": account, "push": push, "tasks": tasks, "processor": processor, "unschedule": unschedule,
			"eventtasks": eventTasks, "nocapacity": noCapacity, "calls": calls, "runs": runs, "queue": queue,
			"queuein": queueIn, "deny": deny, "denyonce": denyOnce, "allow": allow, "outcome": noteOutcome,
			"journal": journalHas, "gone": gone, "furnish": furnish, "apply": apply, "ecs": ecsCall, "later": later,
			"broken": broken, "slow": slow, "prints": prints, "channels": channels,
			"release": release, "repository": repository, "legacy": legacy, "role": role,
			"logged": logged, "rollouts": rollouts, "await": await, "shown": inReadme,
		},
	})
}

// TestReadmeNamesEveryCommand compares the README's table with `deployer help`.
func TestReadmeNamesEveryCommand(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	must(t, err)
	_, section, _ := strings.Cut(string(readme), "\n## The command line\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, cmd := range (&app{}).root().Commands() {
		if cmd.Name() != "help" && !strings.Contains(section, "`deployer "+cmd.Name()+"`") {
			t.Errorf("the README's table has no line for deployer %s", cmd.Name())
		}
	}
}

// world is a script's emulator, started by its first `account` command.
type world struct {
	*emulator.Emulator
	url      string
	accounts map[string]*accounts.Account
	step     time.Duration // of rollouts; zero for the emulator's usual
	ahead    atomic.Int64  // how far AWS's clock is before the real one, in nanoseconds

	variables []string // the names of the script's environment variables, see names
	complete  bool     // variables has those that the script sets itself

	mu      sync.Mutex
	retried []string  // reads that the SDK made again, since the last reset
	reset   time.Time // when the calls were last reset
}

// serve passes a request on to the emulator. On a busy machine, net/http now
// and then closes a connection while the SDK reads the answer, and the SDK tries
// again; such attempts of reads do not count as calls.
func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	name := target[strings.LastIndexByte(target, '.')+1:]
	if readOnly.MatchString(name) && laterAttempt.MatchString(r.Header.Get("Amz-Sdk-Request")) {
		w.mu.Lock()
		w.retried = append(w.retried, name)
		w.mu.Unlock()
	}
	w.ServeHTTP(rw, r)
}

// ResetCalls discards the calls so far.
func (w *world) ResetCalls() {
	w.mu.Lock()
	w.retried, w.reset = nil, time.Now()
	w.mu.Unlock()
	w.Emulator.ResetCalls()
}

func of(ts *testscript.TestScript) *world { return ts.Value("world").(*world) }

// account is `account ID`: from here on the credentials are that account's, in
// a project after the guide's first pattern.
func account(ts *testscript.TestScript, _ bool, args []string) {
	w := of(ts)
	if w.Emulator == nil {
		clock := func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }
		w.Emulator = emulator.New(emulator.Options{RolloutStep: w.step, Clock: clock, VerifyLayers: true})
		server := httptest.NewServer(checkPermissions(http.HandlerFunc(w.serve)))
		w.url = server.URL
		end := accounts.Serve(w.url, w.Emulator)
		ts.Defer(func() {
			end()
			server.Close()
			if unknown := w.UnknownOperations(); len(unknown) > 0 {
				ts.Fatalf("the emulator does not have %v", unknown)
			}
		})
		var err error
		w.CreateQueue(accounts.Prod, accounts.Region, "failed")
		w.SetRolePolicy(accounts.Prod, "myproject_deployer_prod")
		w.accounts, err = cloud.CentralizedDev(context.Background(), w.url)
		ts.Check(err)
		ts.Setenv("AWS_ENDPOINT_URL", w.url)
		ts.Setenv("AWS_SECRET_ACCESS_KEY", "any")
	}
	w.ResetCalls()
	ts.Setenv("AWS_ACCESS_KEY_ID", args[0])
}

// push is `push REPOSITORY CONTENT TAG...`, to dev's registry, later than what was pushed before.
func push(ts *testscript.TestScript, _ bool, args []string) {
	of(ts).ahead.Add(int64(2 * time.Millisecond)) // ECR's times have milliseconds
	dev := accounts.Connect(of(ts).url, accounts.Dev, accounts.Region)
	_, err := dev.Push(context.Background(), args[0], args[1], args[2:]...)
	ts.Check(err)
	of(ts).ResetCalls()
}

// tasks is `tasks [NAME...]`: the project's task is created in all environments, or tasks with other names.
func tasks(ts *testscript.TestScript, _ bool, names []string) {
	if len(names) == 0 {
		ts.Check(cloud.CreateTasks(context.Background(), of(ts).accounts))
	}
	for _, name := range names {
		ts.Check(cloud.PushImageOf(context.Background(), of(ts).accounts["dev"], name))
		for env, a := range of(ts).accounts {
			ts.Check(cloud.CreateTask(context.Background(), a, name, env))
		}
	}
	of(ts).ResetCalls()
}

// eventTasks is `eventtasks NAME...`: event-processor tasks with names are created in all environments.
func eventTasks(ts *testscript.TestScript, _ bool, names []string) {
	for _, name := range names {
		ts.Check(cloud.PushImageOf(context.Background(), of(ts).accounts["dev"], name))
		for env, a := range of(ts).accounts {
			ts.Check(cloud.CreateEventTask(context.Background(), a, name, env))
		}
	}
	of(ts).ResetCalls()
}

// unschedule is `unschedule TASK ENVIRONMENT`: the task's schedule is deleted.
func unschedule(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(of(ts).accounts[args[1]].DeleteSchedule(context.Background(), cloud.ScheduleGroupOf(args[0], args[1]),
		cloud.ScheduleOf(args[0], args[1])))
	of(ts).ResetCalls()
}

// runs is `runs ENVIRONMENT WORKLOAD REVISION`: that is what the service runs.
func runs(ts *testscript.TestScript, _ bool, args []string) {
	for _, env := range cloud.Environments {
		if env.Name != args[0] {
			continue
		}
		service := cloud.ServiceName(args[1], env.Name)
		account := accounts.Connect(of(ts).url, env.Account, accounts.Region)
		got, err := account.Runs(context.Background(), cloud.Project+"_cluster_"+env.Name, service)
		ts.Check(err)
		if have := fmt.Sprint(got.TaskDefinition.Revision); have != args[2] {
			ts.Fatalf("%s runs revision %s of %s, want %s", service, have, *got.TaskDefinition.Family, args[2])
		}
		of(ts).ResetCalls()
	}
}

// queue is `queue SENDER FILE [TARGET]`: a message with the file's content, in which
// NOW is the time, and SOON is a minute later, is in prod's queue called failed. The sender is "rule", with the
// attributes of a dead letter for the target, by default prod's function; "function", by
// its role; or else the id of a sender.
func queue(ts *testscript.TestScript, neg bool, args []string) {
	queueIn(ts, neg, append([]string{"failed"}, args...))
}

// queueIn is `queuein QUEUE SENDER FILE [TARGET]`, which is `queue` for another queue of prod.
func queueIn(ts *testscript.TestScript, _ bool, args []string) {
	name, args := args[0], args[1:]
	now := time.Now().UTC()
	m := emulator.Message{SenderID: args[0], Body: []byte(strings.NewReplacer("NOW", now.Format(time.RFC3339),
		"SOON", now.Add(time.Minute).Format(time.RFC3339)).Replace(ts.ReadFile(args[1])))}
	switch args[0] {
	case "rule":
		m.SenderID = "AIDAIE6VAXUQU2DKHA7DK"
		m.Attributes = map[string]string{
			"RULE_ARN":   "arn:aws:events:us-east-1:333333333333:rule/myproject_deployer_deploy_prod",
			"TARGET_ARN": "arn:aws:lambda:us-east-1:333333333333:function:myproject_deployer_prod",
			"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "not\x1b[2J authorized", "RETRY_ATTEMPTS": "0",
		}
		if len(args) > 2 {
			m.Attributes["TARGET_ARN"] = args[2]
		}
	case "function":
		m.SenderID = api.RoleID(accounts.Prod, "myproject_deployer_prod") + ":myproject_deployer_prod"
	}
	of(ts).PutMessage("arn:aws:sqs:us-east-1:"+accounts.Prod+":"+name, m)
}

// furnish is `furnish`: the project has all that one in good health has, and a
// minute has passed since, in which its tasks have started.
func furnish(ts *testscript.TestScript, _ bool, _ []string) {
	w := of(ts)
	ts.Check(cloud.InstallStacks(context.Background(), filepath.Dir(ts.Getenv("EXAMPLES")), w.Emulator, w.accounts))
	w.ahead.Add(int64(time.Minute))
	w.ResetCalls()
}

// apply is `apply KIND ENVIRONMENT FILE`: a policy of that kind, as `deployer
// policy` prints it, is put where it belongs: on the environment's default bus, or
// on the backend's repository in its account.
func apply(ts *testscript.TestScript, _ bool, args []string) {
	ctx, account, text := context.Background(), of(ts).accounts[args[1]], aws.String(ts.ReadFile(args[2]))
	var err error
	switch args[0] {
	case "repository":
		_, err = account.ECR.SetRepositoryPolicy(ctx, &ecr.SetRepositoryPolicyInput{
			RepositoryName: aws.String("myproject_backend"), PolicyText: text})
	case "lifecycle":
		_, err = account.ECR.PutLifecyclePolicy(ctx, &ecr.PutLifecyclePolicyInput{
			RepositoryName: aws.String("myproject_backend"), LifecyclePolicyText: text})
	case "bus":
		events := eventbridge.NewFromConfig(account.Config)
		_, err = events.PutPermission(ctx, &eventbridge.PutPermissionInput{Policy: text})
	default:
		ts.Fatalf("there is no policy %q", args[0])
	}
	ts.Check(err)
	of(ts).ResetCalls()
}

// inReadme is `shown COMMAND...`: docs/how-to/see-what-runs.md shows the command with what was last on
// stdout, but for the times.
func inReadme(ts *testscript.TestScript, _ bool, args []string) {
	text, err := os.ReadFile(filepath.Join(ts.Getenv("EXAMPLES"), "../docs/how-to/see-what-runs.md"))
	ts.Check(err)
	times := regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	want := times.ReplaceAllString("```text\n$ "+strings.Join(args, " ")+"\n"+ts.ReadFile("stdout"), "TIME")
	if !strings.Contains(times.ReplaceAllString(string(text), "TIME"), want) {
		ts.Fatalf("docs/how-to/see-what-runs.md does not show\n%s", want)
	}
}
