package environment

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"deployer/internal/image"
)

// lists are the lists of workloads in the file, and the kind that each has.
var lists = []struct {
	key  string
	kind Kind
}{{"services", Service}, {"scheduled_tasks", ScheduledTask}, {"event_processor_tasks", EventTask}}

// origin is a workload's `ecr_config`. It is evaluated when all workloads are read,
// because it may name another one.
type origin struct {
	config section
	mode   string // "create_ecr", "manual_repo" or "use_existing"
}

// workloads reads the backend and the lists, and finds the repository of each workload.
func (s section) workloads(e *Environment, workload section) {
	backend := e.conventional(Backend, BackendName)
	backend.byHand(e, workload, "backend_external_docker_image")
	if !workload.flag("backend_auto_deploy", true) {
		backend.OptOut = "workload.backend_auto_deploy is false"
	}
	if e.Project != "" && !image.ValidRepository(e.Project+"_backend") {
		s.fault("project", "is "+quote(e.Project)+", so its repositories would be called like "+
			quote(e.Project+"_backend")+", which ECR refuses", repositoryNames)
	}
	e.Workloads = append(e.Workloads, backend)
	origins, places := map[int]origin{}, map[int]section{0: workload}
	first := map[string]*yaml.Node{}
	for _, list := range lists {
		items, _ := s.list(list.key)
		for i, item := range items {
			path := list.key + "[" + strconv.Itoa(i) + "]."
			one := s.reader.section(item, path, "name", "rule_name", "rules", "docker_image", "ecr_config",
				"enabled", "auto_deploy")
			if value := resolved(item); value.Kind != yaml.MappingNode && !isNull(value) {
				continue // section has reported the fault
			}
			name := one.required("name", validName, "web")
			if name == "" {
				continue
			}
			space := "s:"
			if list.kind != Service {
				space = "t:"
			}
			if n, taken := first[space+name]; taken {
				one.fault("name", "is "+quote(name)+" a second time, after line "+lineOf(n),
					"give each workload a name of its own")
				continue
			}
			first[space+name] = one.place("name")
			work, from := one.workload(e, list.kind, name)
			places[len(e.Workloads)] = one
			if from != nil {
				origins[len(e.Workloads)] = *from
			}
			e.Workloads = append(e.Workloads, work)
		}
	}
	for i := range e.Workloads {
		e.settle(i, origins, nil)
	}
	for i := range e.Workloads {
		e.settleRegistry(&e.Workloads[i])
	}
	s.checkRegions(e, places)
}

// repositoryNames is how ECR names repositories. See "CreateRepository" in its API reference.
const repositoryNames = "write lower-case letters and digits, with single ., - or _ between them"

// workload reads an item of a list. The origin is nil if the file names the image itself.
func (s section) workload(e *Environment, kind Kind, name string) (Workload, *origin) {
	w := e.conventional(kind, name)
	if kind != Service {
		w.Pointers = s.taskPointers(e, kind, name)
	}
	if !s.flag("enabled", true) {
		w.Disabled = s.path + "enabled is false"
	}
	if !s.flag("auto_deploy", true) {
		w.OptOut = s.path + "auto_deploy is false"
	}
	if w.Name != name {
		s.note("name", "is backend, which in events and commands is the project's backend",
			"this service is called "+w.Name+" there")
	}
	from := s.origin()
	if w.byHand(e, s, "docker_image") {
		return w, nil
	}
	project := e.Project + "_backend"
	if from.mode == "create_ecr" && w.Disabled == "" && image.ValidRepository(project) &&
		!image.ValidRepository(w.Repository) {
		s.fault("name", "is "+quote(name)+", so its repository would be "+quote(w.Repository)+
			", which ECR refuses", repositoryNames)
	}
	return w, &from
}

// settleRegistry gives a workload the strategy's registry, unless the file names
// another or its image is not in ECR.
func (e *Environment) settleRegistry(w *Workload) {
	switch {
	case w.External != "":
		w.Repository, w.Registry = "", image.Registry{}
	case w.Registry == image.Registry{}:
		w.Registry, w.RegistryReason = e.Registry(), e.Strategy.String()
	case w.RegistryReason == "":
		w.RegistryReason = "ecr_config of " + w.Name + " names it"
	}
}

func lineOf(n *yaml.Node) string {
	if n == nil {
		return "?"
	}
	return strconv.Itoa(n.Line)
}

// origin reads a workload's ecr_config.
func (s section) origin() origin {
	c := s.reader.section(s.values["ecr_config"], s.path+"ecr_config.", "mode", "repository_uri", "source_service_name",
		"source_service_type")
	return origin{c, c.choice("mode", "create_ecr", "manual_repo", "use_existing")}
}

// settle sets the repository of workload i by its ecr_config: the conventional one,
// one named by URI, or that of another workload. Chain holds the workloads that
// refer to it.
func (e *Environment) settle(i int, origins map[int]origin, chain []int) {
	o, ok := origins[i]
	if !ok {
		return
	}
	w := &e.Workloads[i]
	switch o.mode {
	case "manual_repo":
		o.manual(e, w)
	case "use_existing":
		source := o.source(e)
		for _, seen := range append(chain, i) {
			if source == seen {
				o.config.reader.fault(o.config.node, "`"+o.config.path+"source_service_name` leads back to "+
					quote(w.Name), "name a workload that has a repository of its own")
				source = -1
			}
		}
		if source >= 0 {
			e.settle(source, origins, append(chain, i))
			from := e.Workloads[source]
			w.Repository, w.Registry, w.External = from.Repository, from.Registry, from.External
		}
	}
	delete(origins, i)
}

// manual sets the repository that repository_uri names.
func (o origin) manual(e *Environment, w *Workload) {
	uri := o.config.required("repository_uri", nil, "111111111111.dkr.ecr.us-east-1.amazonaws.com/name")
	if uri == "" {
		return
	}
	ref, err := image.ParseReference(strings.TrimPrefix(uri, "https://"))
	registry, isECR := ref.Registry()
	switch {
	case err != nil:
		o.config.fault("repository_uri", "is "+quote(uri)+", not the URI of a repository",
			"write it like 111111111111.dkr.ecr.us-east-1.amazonaws.com/name")
	case ref.Tag != "" || ref.Digest != "":
		o.config.fault("repository_uri", "is "+quote(uri)+", with a tag",
			"name the repository alone, without a tag")
	case !isECR && looksLikeECR(uri):
		o.config.fault("repository_uri", "is "+quote(uri)+", which looks like a repository of ECR, and is none",
			"write it like 111111111111.dkr.ecr.us-east-1.amazonaws.com/name")
	case !isECR:
		w.External = Mask(uri)
	case !o.config.checkPartition(e, "repository_uri", registry.Region):
	default:
		w.Repository, w.Registry = ref.Repository, registry
	}
}

// source returns the index of the workload that source_service_name names, or -1
// after adding a fault.
func (o origin) source(e *Environment) int {
	name := o.config.required("source_service_name", nil, "web")
	kind := o.config.choice("source_service_type", "services", "event_processor_tasks", "scheduled_tasks")
	for _, list := range lists {
		if list.key != kind || name == "" {
			continue
		}
		for i, w := range e.Workloads {
			if w.Kind == list.kind && (w.Name == name || w.Name == ServicePrefix+name) {
				return i
			}
		}
		o.config.fault("source_service_name", "is "+quote(name)+", but `"+kind+"` has no such name",
			"the names are "+strings.Join(e.Names(list.kind), ", "))
	}
	return -1
}
