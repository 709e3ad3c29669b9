package environment

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"deployer/internal/image"
)

// lists are the file's lists of workloads, and the kind each holds.
var lists = []struct {
	key  string
	kind Kind
}{{"services", Service}, {"scheduled_tasks", ScheduledTask}, {"event_processor_tasks", EventTask}}

// origin is a workload's `ecr_config`, kept until every workload is known: it
// may name another one.
type origin struct {
	section
	mode string // "create_ecr", "manual_repo" or "use_existing"
}

// workloads reads the backend and the file's lists, and settles whose images each runs.
func (s section) workloads(e *Environment, workload section) {
	backend := e.conventional(Backend, BackendName)
	backend.External = workload.text("backend_external_docker_image")
	e.Workloads = append(e.Workloads, backend)
	origins := map[int]origin{}
	first := map[string]*yaml.Node{"s:" + BackendName: nil}
	for _, list := range lists {
		items, _ := s.list(list.key)
		for i, item := range items {
			path := list.key + "[" + strconv.Itoa(i) + "]."
			one := s.reader.section(item, path, "name", "rule_name", "docker_image", "ecr_config")
			name := one.required("name", nameForm, "web")
			if name == "" {
				continue
			}
			space := "s:"
			if list.kind != Service {
				space = "t:"
			}
			if n, taken := first[space+name]; taken {
				what := "after line " + lineOf(n)
				if n == nil {
					what = "but that is how events call the project's backend"
				}
				s.fault(one.place("name"), "`"+path+"name` is "+strconv.Quote(name)+" a second time, "+what, "give each workload a name of its own")
				continue
			}
			first[space+name] = one.place("name")
			work := e.conventional(list.kind, name)
			work.External = one.text("docker_image")
			origins[len(e.Workloads)] = one.origin()
			e.Workloads = append(e.Workloads, work)
		}
	}
	for i := range e.Workloads {
		e.settle(i, origins, nil)
	}
	for i := range e.Workloads {
		e.settleRegistry(&e.Workloads[i])
	}
}

// settleRegistry gives a workload the strategy's registry, unless ecr_config names
// another or its image is not in ECR.
func (e *Environment) settleRegistry(w *Workload) {
	switch {
	case w.External != "":
		w.Repository, w.Registry = "", image.Registry{}
	case w.Registry == image.Registry{}:
		w.Registry, w.RegistryReason = e.Registry(), e.Strategy.String()
	default:
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
	c := s.reader.section(s.values["ecr_config"], s.path+"ecr_config.", "mode", "repository_uri", "source_service_name", "source_service_type")
	return origin{c, c.choice("mode", "create_ecr", "manual_repo", "use_existing")}
}

// settle gives workload i its repository: its own by convention, one named by
// URI, or another workload's. Chain holds the workloads on the way here.
func (e *Environment) settle(i int, origins map[int]origin, chain []int) {
	o, ok := origins[i]
	if !ok {
		return
	}
	w := &e.Workloads[i]
	switch o.mode {
	case "manual_repo":
		o.manual(w)
	case "use_existing":
		source := o.source(e)
		for _, seen := range append(chain, i) {
			if source == seen {
				o.fault(o.node, "`"+o.path+"source_service_name` leads back to "+strconv.Quote(w.Name), "name a workload that has a repository of its own")
				source = -1
			}
		}
		if source >= 0 {
			e.settle(source, origins, append(chain, i))
			w.Repository, w.Registry = e.Workloads[source].Repository, e.Workloads[source].Registry
		}
	}
	delete(origins, i)
}

// manual takes the repository that repository_uri names.
func (o origin) manual(w *Workload) {
	uri := o.required("repository_uri", nil, "111111111111.dkr.ecr.us-east-1.amazonaws.com/name")
	if uri == "" {
		return
	}
	ref, err := image.ParseReference(strings.TrimPrefix(uri, "https://"))
	registry, isECR := ref.Registry()
	switch {
	case err != nil:
		o.fault(o.place("repository_uri"), "`"+o.path+"repository_uri` is "+err.Error(), "")
	case ref.Tag != "" || ref.Digest != "":
		o.fault(o.place("repository_uri"), "`"+o.path+"repository_uri` is "+strconv.Quote(uri)+", with a tag", "name the repository alone: the event brings the tag")
	case !isECR:
		w.External = uri
	default:
		w.Repository, w.Registry = ref.Repository, registry
	}
}

// source returns the index of the workload whose repository is used, -1 after noting that there is none.
func (o origin) source(e *Environment) int {
	name := o.required("source_service_name", nil, "web")
	kind := o.choice("source_service_type", "services", "event_processor_tasks", "scheduled_tasks")
	for _, list := range lists {
		if list.key != kind || name == "" {
			continue
		}
		for i, w := range e.Workloads {
			if w.Name == name && w.Kind == list.kind {
				return i
			}
		}
		o.fault(o.place("source_service_name"), "`"+o.path+"source_service_name` is "+strconv.Quote(name)+", but `"+kind+"` has no such name", "the names are "+strings.Join(e.Names(list.kind), ", "))
	}
	return -1
}
