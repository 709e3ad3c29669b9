// Package environment reads the YAML file that describes one environment of a
// project, such as dev or prod. It checks the file, and derives from it every
// name that the deployer uses: ECR strategy, registries, repositories, ECS names,
// tag policy and DEPLOY sources. The infrastructure code reads the same file, so
// that keys which the deployer does not know are accepted.
package environment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"deployer/internal/image"
)

// Environment is one environment of a project, as its file describes it. Every
// default is filled in.
type Environment struct {
	File          string // the file's path, for messages
	ByName        bool   // a person named the environment, not its file: see [Environment.Command]
	SHA256        string // of the file's content, in hexadecimal digits
	Project       string // such as "myproject"
	Name          string // the key `env`, such as "dev", "staging" or "prod"
	Region        string // the region of the ECS cluster
	AccountID     string // the environment's own AWS account; "" if the file does not name it
	AWSProfile    string // the key `aws_profile`: the profile with which people reach the account; may be ""
	SchemaVersion int    // of the file; 0 if it has none, as old files do

	// Production says why the environment is production: is_prod, or its name. No push
	// deploys production by default. "" if it is not.
	Production string

	Strategy         Strategy
	ECRAccountID     string // the key `ecr_account_id`, whatever the strategy
	ECRAccountRegion string // the key `ecr_account_region`, whatever the strategy

	Cluster       string    // the ECS cluster's name
	ImageForm     ImageForm // how a task definition names the image
	Base          Base      // which revision a deployment clones
	AutoDeploy    TagPolicy // the tags that deploy when they are pushed
	DeploySources []string  // the sources whose DEPLOY events are accepted
	Notify        Notify    // where outcomes are sent

	// Replicated means that ECR copies images into the environment's registry. A DEPLOY
	// may then come before its image: it waits for [ReplicationTime].
	Replicated bool

	// RedeployOn are the kinds of configuration whose changes redeploy the services that
	// refer to what changed. None by default.
	RedeployOn []Trigger

	// RolePatterns are the kinds of names in whose place the role of the deployer's function may have name patterns,
	// if the exact ones do not fit into its policies. None by default.
	RolePatterns []Reach

	TrustedAccounts []TrustedAccount // other accounts that run images of the environment's registry

	Workloads []Workload // the backend first, then services and tasks as in the file
	Disabled  []Workload // those with `enabled: false`, which do not exist in AWS
	Warnings  Faults     // what is probably a mistake, but not an error: every reader of the file reports it
	Advice    Faults     // warnings and notes about what was read rightly: only `deployer validate` reports them
}

// ImageForm is how a task definition names its image.
type ImageForm string

// The two forms of an image reference in a task definition.
const (
	ByDigest ImageForm = "digest" // repository@sha256:…: what was checked runs
	ByTag    ImageForm = "tag"    // repository:tag
)

// Base is the task definition revision that a deployment clones.
type Base string

// The two bases.
const (
	BaseLatest  Base = "latest"  // the latest ACTIVE revision of the family
	BaseService Base = "service" // the revision that the service runs
)

// ReplicationTime is how long a copy of an image may take: ECR replicates most images in
// less than 30 minutes ("Private image replication in Amazon ECR" in the ECR user guide).
const ReplicationTime = 30 * time.Minute

// Load reads and checks the environment file at path. Its error is a [Faults] with
// every fault of the file, or the reason why the file cannot be read. It wraps
// [ErrNotEnvironment] if the file has no `env` key.
func Load(path string) (*Environment, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the environment file: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading the environment file: %w", err)
	}
	return Parse(path, data)
}

// maxSize is the maximum size of an environment file in bytes.
const maxSize = 1 << 20

// Parse is [Load] for a file's content. Faults are reported under name.
func Parse(name string, data []byte) (*Environment, error) {
	r := &reader{file: name}
	sum := sha256.Sum256(data)
	e := &Environment{File: name, SHA256: hex.EncodeToString(sum[:])}
	if root := r.root(data); root != nil {
		r.environment(e, root)
	}
	if len(r.faults) > 0 {
		return nil, Printable(sorted(append(r.faults, r.warnings...)))
	}
	e.Warnings, e.Advice = Printable(sorted(r.warnings)), Printable(sorted(r.advice))
	return e, nil
}

// In returns the environment with accountID as its account, which the file may
// leave out, and with the registries that follow from it. An empty id changes
// nothing. For workloads that were found before, see [Environment.Current].
func (e *Environment) In(accountID string) *Environment {
	if accountID == "" || accountID == e.AccountID {
		return e
	}
	c := *e
	c.AccountID = accountID
	c.Workloads = slices.Clone(e.Workloads)
	for i := range c.Workloads {
		if w := &c.Workloads[i]; w.RegistryReason == e.Strategy.String() { // else ecr_config names the registry
			w.Registry = c.Registry()
		}
	}
	return &c
}

// Current returns the workload of w's kind and name as e has it, else w. A workload
// that was found before [Environment.In] may lack the account of its registry.
func (e *Environment) Current(w Workload) Workload {
	if found, ok := e.Find(w.Name, w.Kind); ok {
		return found
	}
	return w
}

// Registry returns the ECR registry that the strategy chooses: the
// environment's own, or that of ecr_account_id in ecr_account_region.
func (e *Environment) Registry() image.Registry {
	if e.Strategy.Name == CrossAccount {
		return image.Registry{AccountID: e.ECRAccountID, Region: e.ECRAccountRegion}
	}
	return image.Registry{AccountID: e.AccountID, Region: e.Region}
}

// IsReplicated reports whether the images of a workload come by replication: those of the
// environment's registry do if the file says so, and not those of a registry that is
// named for the workload alone.
func (e *Environment) IsReplicated(w Workload) bool {
	return e.Replicated && w.Repository != "" && w.RegistryReason == e.Strategy.String()
}

// Find returns the workload of that name among those of the given kinds, and
// whether there is one. A service and a task may have the same name. "service:NAME"
// and "task:NAME" name a service that is not the backend, and a task.
func (e *Environment) Find(name string, kinds ...Kind) (Workload, bool) {
	return find(e.Workloads, name, kinds)
}

// Labelled returns the workload with the given [Workload.Label], and whether there is one.
func (e *Environment) Labelled(label string) (Workload, bool) {
	if strings.HasPrefix(label, TaskPrefix) {
		return e.Find(label, Tasks...)
	}
	return e.Find(label, Services...)
}

// FindDisabled is [Environment.Find] among the disabled workloads.
func (e *Environment) FindDisabled(name string, kinds ...Kind) (Workload, bool) {
	return find(e.Disabled, name, kinds)
}

// Prefixes of names that say which kind of workload they mean.
const (
	ServicePrefix = "service:"
	TaskPrefix    = "task:"
)

func find(all []Workload, name string, kinds []Kind) (Workload, bool) {
	service, isService := strings.CutPrefix(name, ServicePrefix)
	task, isTask := strings.CutPrefix(name, TaskPrefix)
	for _, w := range all {
		named := w.Name == name || isService && w.Kind == Service && w.Name == service ||
			isTask && slices.Contains(Tasks, w.Kind) && w.Name == task
		if named && slices.Contains(kinds, w.Kind) {
			return w, true
		}
	}
	return Workload{}, false
}

// Names returns the names of the workloads of the given kinds, in the file's order.
func (e *Environment) Names(kinds ...Kind) []string {
	var names []string
	for _, w := range e.Workloads {
		if slices.Contains(kinds, w.Kind) {
			names = append(names, w.Name)
		}
	}
	return names
}
