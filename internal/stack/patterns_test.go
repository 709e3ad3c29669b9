package stack

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"deployer/internal/environment"
)

// What the patterns of each kind match, in the text of errors and notes.
const (
	alsoRepositories = "repositories of projects whose names begin with myproject_service or myproject_task"
	alsoSchedules    = "schedules of environments whose names begin with staging- and end with -staging"
	alsoRoles        = "roles of projects whose names begin with myproject_service or myproject_scheduler, and of " +
		"environments whose names end with task_staging, execution_staging or role_staging"
	alsoFamilies = "families of projects whose names begin with myproject_service, and of environments whose names " +
		"end with _staging"
)

// TestPatterns checks which name patterns are in the policies if the environment file accepts some, and that they are
// reported, with what else they match.
func TestPatterns(t *testing.T) {
	t.Parallel()
	const (
		repositories = "repository/myproject_service_*"
		roles        = "role/myproject_service_*_task_execution_staging, role/myproject_service_*_task_staging"
		tasks        = "repository/myproject_task_*, role/myproject_scheduler_*_role_staging, " +
			"role/myproject_scheduler_*_task_execution_staging"
		schedules = "schedule/myproject-schedule-group-staging-*/myproject-scheduler-*-staging"
		families  = "task-definition/myproject_service_*_staging:*"
	)
	for _, tt := range []struct {
		services, scheduled, processors int
		kinds, want, also               string // no patterns if want is empty
	}{
		{163, 0, 0, "repositories, schedules, roles, families", "", ""}, // exact, because that fits
		{164, 0, 0, "repositories", repositories, alsoRepositories},
		{220, 0, 0, "repositories, schedules", repositories, alsoRepositories}, // no schedules
		{602, 0, 0, "repositories, roles", repositories + ", " + roles, alsoRepositories + "; " + alsoRoles},
		{603, 0, 0, "roles, families", roles + ", " + families, alsoRoles + "; " + alsoFamilies},
		{0, 416, 0, "repositories, schedules, roles", tasks + ", " + schedules,
			alsoRepositories + "; " + alsoSchedules + "; " + alsoRoles},
	} {
		env := parse(t, largeFile(tt.services, tt.scheduled, tt.processors, 20, tt.kinds))
		parameters, err := Parameters(env)
		if err != nil {
			t.Errorf("%+v: %v", tt, err)
			continue
		}
		accepted(t, parameters)
		want := ""
		if tt.want != "" {
			want = fmt.Sprintf("the names of %d workloads do not fit into the policies of the deployer's role, and "+
				"deployer.role_patterns accepts name patterns: %s. They also match %s (to have none, give some of the "+
				"workloads an environment of their own)", len(env.Workloads), tt.want, tt.also)
		}
		if got := Patterns(env, parameters); got != want {
			t.Errorf("%+v:\n%s\nwant\n%s", tt, got, want)
		}
	}
}

// TestTooLarge checks that an environment is refused whose names do not fit, if its file does not accept the patterns
// that would, and that the error says which these are.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		services, scheduled, processors, policies int
		kinds, write, also                        string // nothing to write if even all patterns do not fit
	}{
		{164, 0, 0, 11, "", "repositories", alsoRepositories},
		{0, 105, 0, 11, "", "repositories", alsoRepositories},
		{0, 0, 146, 11, "", "repositories", alsoRepositories},
		{221, 0, 0, 11, "repositories", "repositories, roles", alsoRoles},
		{0, 187, 0, 11, "repositories, schedules", "repositories, schedules, roles", alsoRoles},
		{221, 0, 0, 14, "", "roles", alsoRoles},
		{603, 0, 0, 11, "repositories, roles", "repositories, roles, families", alsoFamilies},
		{603, 0, 0, 37, "", "roles, families", alsoRoles + "; " + alsoFamilies},
		{0, 417, 0, 11, "repositories, schedules, roles", "", ""},
		{0, 0, 264, 11, "repositories, schedules, roles, families", "", ""},
		{0, 500, 0, 48, "", "", ""},
	} {
		_, err := Parameters(parse(t, largeFile(tt.services, tt.scheduled, tt.processors, 20, tt.kinds)))
		large := new(TooLargeError)
		if !errors.As(err, &large) {
			t.Errorf("%+v: %v, want a TooLargeError", tt, err)
			continue
		}
		what := fmt.Sprintf("the names of %d workloads do not fit into the policies of the deployer's role: it would "+
			"need %d managed policies, and IAM accepts 10", 1+tt.services+tt.scheduled+tt.processors, tt.policies)
		fix := "give some of the workloads an environment of their own"
		if tt.write != "" {
			fix += "; or accept name patterns: write `role_patterns: [" + tt.write + "]` below `deployer` in " +
				"dev.yaml, and the role also reaches " + tt.also
		}
		if large.What != what || large.Fix != fix {
			t.Errorf("%+v:\n%s\n%s\nwant\n%s\n%s", tt, large.What, large.Fix, what, fix)
		}
	}
}

// TestWildcards checks for random environments that each ARN of the parameters is the exact name of something of the
// environment, with a wildcard for the account and the revision at most, unless the file accepts patterns; and that
// those which it accepts match nothing of a neighbour but what the note says.
func TestWildcards(t *testing.T) {
	t.Parallel()
	exact, large, withPatterns := 0, 0, 0
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		project, name := randomName(r, ""), randomName(r, "")
		env := randomEnvironment(t, r, project, strings.Trim(name[:min(14, len(name))], "_-"))
		parameters, err := Parameters(env)
		if err != nil {
			if !errors.As(err, new(*TooLargeError)) {
				t.Fatal(err)
			}
			large++
			continue
		}
		names := namesOf(t, env)
		patterns := map[string]*regexp.Regexp{}
		for _, arn := range arnsOf(parameters) {
			parts := strings.SplitN(arn, ":", 6)
			switch resource := strings.TrimSuffix(parts[5], ":*"); {
			case slices.Contains(names, resource):
			case len(env.RolePatterns) > 0 && strings.Contains(resource, "*"):
				patterns[resource] = globbed(resource)
			default:
				t.Errorf("seed %d: %s is no name of project %s and env %s", seed, arn, env.Project, env.Name)
			}
		}
		if len(patterns) == 0 {
			exact++
			continue
		}
		withPatterns++
		for range 30 {
			checkNeighbour(t, r, env, patterns, Patterns(env, parameters))
		}
	}
	if exact < 10 || large < 5 || withPatterns < 10 {
		t.Errorf("%d exact, %d refused, %d with patterns: too few", exact, large, withPatterns)
	}
}

// checkNeighbour checks that the patterns of an environment match nothing of a random neighbour but what is reported.
func checkNeighbour(t *testing.T, r *rand.Rand, env *environment.Environment, patterns map[string]*regexp.Regexp,
	report string,
) {
	t.Helper()
	project, name := env.Project, env.Name
	if r.IntN(2) == 0 {
		project = randomName(r, env.Project)
	}
	if project == env.Project || r.IntN(2) == 0 {
		name = randomName(r, env.Name)
	}
	begins := func(part string) bool { return strings.HasPrefix(project, env.Project+"_"+part) }
	ends := func(part string) bool { return strings.HasSuffix(name, part+env.Name) }
	reported := map[string]bool{
		"repository": begins("service") || begins("task") || project == env.Project, // its environments share them
		"schedule":   strings.HasPrefix(name, env.Name+"-") && ends("-"),
		"role": begins("service") || begins("scheduler") || ends("task_") || ends("execution_") ||
			ends("role_"),
		"task-definition": begins("service") || ends("_"),
	}
	neighbour := &environment.Environment{Project: project, Name: name}
	if project == env.Project && name == env.Name {
		return
	}
	for _, resource := range conventional(neighbour, randomName(r, "")) {
		kind, _, _ := strings.Cut(resource, "/")
		for pattern, re := range patterns {
			if re.MatchString(resource) && !reported[kind] {
				t.Errorf("%s of project %s and env %s matches %s of project %s and env %s, which is not reported: %s",
					pattern, env.Project, env.Name, resource, project, name, report)
			}
		}
	}
}

// globbed returns a pattern of IAM as a regular expression.
func globbed(pattern string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
}

// randomName returns a name of parts, with another before, after or on both sides of it, if there is one.
func randomName(r *rand.Rand, other string) string {
	parts := []string{"shop", "admin", "prod", "eu", "a", "b", "service", "task", "scheduler", "role", "execution",
		"web"}
	name := parts[r.IntN(len(parts))]
	for range r.IntN(3) {
		name += []string{"_", "-"}[r.IntN(2)] + parts[r.IntN(len(parts))]
	}
	separator := []string{"_", "-", ""}[r.IntN(3)]
	switch {
	case other == "":
	case r.IntN(3) == 0:
		return other + separator + name + separator + other
	case r.IntN(2) == 0:
		return name + separator + other
	default:
		return other + separator + name
	}
	return name
}

// randomEnvironment returns an environment with up to 600 workloads, which accepts some kinds of patterns.
func randomEnvironment(t *testing.T, r *rand.Rand, project, name string) *environment.Environment {
	t.Helper()
	var kinds []string
	for _, kind := range environment.Reaches {
		if r.IntN(6) > 0 {
			kinds = append(kinds, string(kind))
		}
	}
	if r.IntN(3) == 0 {
		kinds = nil
	}
	file := fmt.Sprintf("project: %s\nenv: %s\nregion: us-east-1\naccount_id: \"333333333333\"\n"+
		"ecr_strategy: local\ndeployer: {role_patterns: [%s]}\n", project, name, strings.Join(kinds, ", "))
	for _, list := range []string{"services", "scheduled_tasks", "event_processor_tasks"} {
		file += list + ":\n"
		for i := range r.IntN(2) * r.IntN(200) {
			file += fmt.Sprintf("  - name: %s-%s-%d\n", list[:3], strings.ReplaceAll(randomName(r, ""), "_", "-"), i)
		}
	}
	return parse(t, file)
}

// arnsOf returns the ARNs of all lists of the parameters.
func arnsOf(parameters []Parameter) (all []string) {
	text := resourceText(parameters)
	for _, p := range parameters {
		if strings.HasSuffix(p.Name, "Arns") {
			text += "," + p.Value
		}
	}
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}

// namesOf returns the resources that an environment uses, as the ends of their ARNs.
func namesOf(t *testing.T, env *environment.Environment) (all []string) {
	t.Helper()
	schedules, rules := env.StartRoles()
	for _, arn := range slices.Concat(schedules, rules) {
		_, role, _ := strings.Cut(arn, ":role/")
		all = append(all, "role/"+role)
	}
	for _, w := range env.Workloads {
		all = append(all, "task-definition/"+w.Family, "repository/"+w.Repository)
		for _, role := range env.Roles(w) {
			all = append(all, "role/"+role)
		}
		for _, p := range w.Pointers.All() {
			all = append(all, strings.SplitN(p.ARN(env), ":", 6)[5])
		}
	}
	return all
}

// conventional returns the names, as the ends of ARNs, that an environment gives to its backend, and to a service and
// tasks of a name.
func conventional(env *environment.Environment, workload string) (all []string) {
	workload = strings.ReplaceAll(workload, "_", "-")
	for _, format := range []string{
		"repository/%[1]s_backend", "repository/%[1]s_service_%[3]s", "repository/%[1]s_task_%[3]s",
		"schedule/%[1]s-schedule-group-%[2]s-%[3]s/%[1]s-scheduler-%[3]s-%[2]s",
		"role/%[1]s_backend_task_%[2]s", "role/%[1]s_backend_task_execution_%[2]s",
		"role/%[1]s_service_%[3]s_task_%[2]s", "role/%[1]s_service_%[3]s_task_execution_%[2]s",
		"role/%[1]s_%[3]s_task_%[2]s", "role/%[1]s_scheduler_%[3]s_task_execution_%[2]s",
		"role/%[1]s_scheduler_%[3]s_role_%[2]s",
		"task-definition/%[1]s_service_%[2]s", "task-definition/%[1]s_service_%[3]s_%[2]s",
	} {
		all = append(all, fmt.Sprintf(format, env.Project, env.Name, workload))
	}
	return all
}
