package environment

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"deployer/internal/image"
)

// validProject and validName report whether s can become a part of AWS names.
func validProject(s string) bool {
	return only(s, lower+digits+"_-") && only(s[:1], lower+digits) && only(s[len(s)-1:], lower+digits)
}

func validName(s string) bool {
	return only(s, upper+lower+digits+"_-") && only(s[:1], upper+lower+digits)
}

// environment fills e from the file's root mapping.
func (r *reader) environment(e *Environment, root *yaml.Node) {
	s := r.section(root, "", "project", "env", "region", "account_id", "aws_profile", "schema_version", "is_prod",
		"ecr_strategy", "ecr_account_id", "ecr_account_region", "ecr_trusted_accounts",
		"services", "scheduled_tasks", "event_processor_tasks", "workload", "deployer")
	if _, ok := s.keys["env"]; !ok { // it is another kind of file: its other faults do not matter
		r.faults = Faults{{File: r.file, Line: root.Line, Col: root.Column, What: "the file has no `env` key",
			Fix: "add the line: env: dev", Err: ErrNotEnvironment}}
		return
	}
	e.Name = s.required("env", validName, "dev")
	e.Project = s.required("project", validProject, "myproject")
	e.Region = s.required("region", nil, "us-east-1")
	if e.Region != "" && !image.ValidRegion(e.Region) {
		s.fault("region", "is "+quote(e.Region)+", not an AWS region", `write it like "us-east-1"`)
	}
	e.AccountID = s.account("account_id")
	e.AWSProfile = s.plain("aws_profile")
	if v := s.text("schema_version"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			s.fault("schema_version", "is "+quote(v)+", not a whole number", "write it like 7")
		}
		e.SchemaVersion = n
		if n > NewestSchema {
			s.note("schema_version", fmt.Sprintf("is %d, and the newest that the deployer knows is %d", n,
				NewestSchema),
				"keys that it does not know are left alone")
		}
	}
	e.Production = s.production(e.Name)
	s.strategy(e)
	s.trustedAccounts(e)
	workload := r.section(s.values["workload"], "workload.", "backend_external_docker_image", "backend_auto_deploy",
		"slack_webhook")
	s.workloads(e, workload)
	s.deployer(e, workload)
	s.noteProduction(e)
	for _, w := range e.Workloads {
		if w.Disabled != "" {
			e.Disabled = append(e.Disabled, w)
		}
	}
	e.Workloads = slices.DeleteFunc(e.Workloads, func(w Workload) bool { return w.Disabled != "" })
}

// NewestSchema is the newest schema version whose keys are known.
const NewestSchema = 28

// required returns the value of a key that the file must have. It must be valid,
// unless that is nil.
func (s section) required(key string, valid func(string) bool, example string) string {
	before := len(s.reader.faults)
	v := s.text(key)
	switch {
	case len(s.reader.faults) > before: // text has reported the fault
	case v == "":
		s.fault(key, "is not set", "add the line: "+key+": "+example)
	case valid != nil && !valid(v):
		s.fault(key, "is "+quote(v)+", which cannot be part of an AWS name", "write it like "+example)
		return ""
	case s.values[key].Style == 0 && otherType(v):
		s.warn(key, "is "+v+" without quotes", "write "+quote(v)+": some readers of YAML take it for another type")
	}
	return v
}

// otherType reports whether YAML 1.1 reads a plain value as a number or a boolean.
func otherType(v string) bool {
	_, err := strconv.ParseFloat(v, 64)
	return err == nil || slices.Contains([]string{"true", "false", "yes", "no", "on", "off", "y", "n"},
		strings.ToLower(v))
}

// settings are the keys of the section `deployer`.
var settings = []string{"cluster", "image", "base", "auto_deploy", "deploy_sources", "replicated", "redeploy_on",
	"role_patterns", "notify", "workloads"}

// deployer reads the section `deployer`. A setting beside the section is a warning, because it has no effect there.
func (s section) deployer(e *Environment, workload section) {
	for key, name := range s.misplaced() {
		fix := "write it below `deployer`"
		if name != key {
			fix = "did you mean `deployer." + name + "`?"
		}
		s.reader.warn(s.keys[key], "`"+shown(key)+"` has no effect here", fix)
	}
	d := s.own("deployer", settings)
	e.Cluster = cmp.Or(d.ecsName(e, "cluster", "cluster"), e.Project+"_cluster_"+e.Name)
	if n := len(e.Cluster); n > maxECSName && isNull(d.values["cluster"]) {
		s.fault("project", fmt.Sprintf("gives the cluster a name of %d characters, and ECS allows %d", n, maxECSName),
			"choose a shorter one, or name the cluster in deployer.cluster")
	}
	e.ImageForm = ImageForm(d.choice("image", string(ByDigest), string(ByTag)))
	e.Base = Base(d.choice("base", string(BaseLatest), string(BaseService)))
	d.policy(e)
	e.Replicated = d.flag("replicated", false)
	e.RedeployOn = kinds(d, "redeploy_on", "a kind of configuration", Triggers)
	e.RolePatterns = kinds(d, "role_patterns", "a kind of names", Reaches)
	d.overrides(e)
	if i := slices.IndexFunc(e.AutoDeploy, func(p TagPattern) bool { return isMoving(string(p)) }); i >= 0 &&
		e.ImageForm == ByTag {
		d.adviseOn("image", "is tag, and pushes of the moving tag "+string(e.AutoDeploy[i])+
			" deploy: a task that starts later may run another image than the one that was checked", "write digest")
	}
	e.Notify = d.notify(e, workload)
}

// own reads a mapping that only the deployer uses. There an unknown key is a fault,
// because a misspelt setting must not go unnoticed.
func (s section) own(key string, known []string) section {
	o := s.reader.section(s.values[key], s.path+key+".")
	for _, k := range o.unknown(known) {
		fix := "the keys are " + strings.Join(known, ", ")
		if near := Nearest(k, known); near != "" {
			fix = "did you mean `" + near + "`?"
		}
		s.reader.fault(o.keys[k], "`"+o.path+shown(k)+"` is not a setting of the deployer", fix)
	}
	return o
}

// choice returns the value of key, which must be one of the options. The default is
// the first.
func (s section) choice(key string, options ...string) string {
	v := s.text(key)
	if v == "" {
		return options[0]
	}
	if !slices.Contains(options, v) {
		s.fault(key, "is "+quote(v), "write "+strings.Join(options, " or "))
	}
	return v
}

// policy reads which pushes deploy, and which sources may send DEPLOY events.
func (s section) policy(e *Environment) {
	patterns, ok := s.texts("auto_deploy")
	e.AutoDeploy = DefaultTagPolicy(e.Name, e.Production != "")
	if ok {
		e.AutoDeploy = TagPolicy{}
	}
	for _, text := range patterns {
		pattern, err := ParseTagPattern(text)
		var wrong *PatternError
		if errors.As(err, &wrong) {
			s.fault("auto_deploy", "has "+wrong.What,
				cmp.Or(wrong.Fix, "write tags or globs, like latest or env-"+e.Name+"-*"))
			continue
		}
		e.AutoDeploy = append(e.AutoDeploy, pattern)
	}
	sources, ok := s.texts("deploy_sources")
	for _, source := range sources {
		if strings.Contains(source, "://") {
			s.fault("deploy_sources", "has an address, which is not the source of an event",
				"write the source that senders name, like action."+e.Name)
		}
		if why := wrongSource(source); why != "" {
			s.fault("deploy_sources", "has "+quote(Mask(source))+", "+why, "write a source like action."+e.Name)
		}
		if strings.HasPrefix(source, "aws.") {
			s.fault("deploy_sources",
				"has "+quote(source)+": only AWS can send events from such a source",
				"write a source of your own, like action."+e.Name)
		}
	}
	e.DeploySources = sources
	if !ok {
		e.DeploySources = []string{"action." + e.Name}
		if e.Production != "" && e.Name != "production" {
			e.DeploySources = append(e.DeploySources, productionSource)
		}
	}
}

// wrongSource returns why a text cannot be the source of DEPLOY events; "" if it can. The stack's parameter is a list
// that commas separate and spaces around them do not belong to, and IAM allows no other characters in a policy than
// printable ones of Latin-1.
func wrongSource(source string) string {
	notLatin := func(r rune) bool { return r < ' ' || r == 0x7f || r > 0xff }
	switch {
	case strings.Contains(source, ","):
		return "which has a comma: the stack would take it for two"
	case strings.TrimSpace(source) != source:
		return "which begins or ends with a space"
	case strings.ContainsFunc(source, notLatin):
		return "which has a character that no policy of IAM may have"
	}
	return ""
}

// overrides replaces conventional names by those of deployer.workloads. A task is named
// there as task:NAME, or as NAME if no service is called so.
func (s section) overrides(e *Environment) {
	known := e.Names(Services...)
	for _, name := range e.Names(Tasks...) {
		known = append(known, name, TaskPrefix+name)
	}
	o := s.own("workloads", known)
	for i := range e.Workloads {
		w := &e.Workloads[i]
		if w.HasService() {
			if isNull(o.values[w.Name]) {
				s.conventionalName(*w)
			} else {
				o.overrideService(e, i)
			}
			continue
		}
		key := TaskPrefix + w.Name
		if _, taken := e.Find(w.Name, Services...); !taken && isNull(o.values[key]) {
			key = w.Name
		}
		if !isNull(o.values[key]) {
			o.overrideTask(e, key, i)
		}
		s.adviseOnPointers(*w)
	}
}

// overrideService replaces the names of the service with an index.
func (s section) overrideService(e *Environment, i int) {
	w := &e.Workloads[i]
	names := s.own(w.Name, []string{"service", "family", "container"})
	if service := names.ecsName(e, "service", "service"); service != "" {
		w.Pointer = ECSService(service)
		if w.Disabled == "" {
			names.adviseOnShortARN(e, service)
		}
	}
	w.Family = cmp.Or(names.ecsName(e, "family", "task-definition"), w.Family)
	w.Containers = names.containers()
	for _, other := range e.Workloads[:i] {
		if other.Pointer == w.Pointer && other.Disabled == "" && w.Disabled == "" {
			s.reader.fault(names.node,
				fmt.Sprintf("`%sservice` makes %q and %q the same ECS service %q", names.path, w.Name, other.Name,
					w.Pointer.Name()),
				"give each a service of its own")
		}
	}
}

// overrideTask replaces the names of the task with an index. A rule may start several
// tasks, a schedule only one.
func (s section) overrideTask(e *Environment, key string, i int) {
	w := &e.Workloads[i]
	names := s.own(key, []string{"schedule", "rule", "start_role", "family", "container"})
	names.overridePointers(e, w)
	names.overrideStartRoles(e, w)
	w.Family = cmp.Or(names.ecsName(e, "family", "task-definition"), w.Family)
	w.Containers = names.containers()
	for _, other := range e.Workloads[:i] {
		for _, p := range w.Pointers.All() {
			if !p.Rule && slices.Contains(other.Pointers.All(), p) && other.Disabled == "" && w.Disabled == "" {
				s.reader.fault(names.node,
					fmt.Sprintf("`%sschedule` makes %q and %q the same schedule %q", names.path, w.Name, other.Name,
						p.Group+"/"+p.Name), "give each a schedule of its own")
			}
		}
	}
}

// conventionalName adds a fault if a workload's conventional name is too long for ECS.
func (s section) conventionalName(w Workload) {
	if n := len(w.Pointer.Name()); n > maxECSName && w.Disabled == "" && w.External == "" {
		s.fault("workloads", fmt.Sprintf("names no service for %q, whose ECS service would have a name of %d "+
			"characters, and ECS allows %d", w.Name, n, maxECSName), "write the service's name there: "+w.Name+
			": {service: NAME, family: NAME}")
	}
}

// containers reads the names of the containers that get the workload's image.
func (s section) containers() Containers {
	names := s.oneOrMore("container")
	if n := s.values["container"]; !isNull(n) && (n.Kind == yaml.ScalarNode || n.Kind == yaml.SequenceNode) &&
		n.Value == "" && len(n.Content) == 0 {
		s.fault("container", "is empty", "write a name in the task definition, or leave the key out")
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			s.fault("container", "names "+quote(name)+" twice", "name each container once")
		}
		if !validECSName(name) {
			s.fault("container", "is "+quote(name)+", which is not the name of a container",
				"write a name in the task definition, or a list of names")
		}
	}
	return Containers(strings.Join(names, ","))
}
