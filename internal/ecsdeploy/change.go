package ecsdeploy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/ecsservice"
)

// Change is what a deployment would change of what a service runs.
type Change struct {
	Runs string // ARN of the revision that the service runs
	Base string // ARN of the revision that would be cloned
	Same bool   // the service runs the order's image already, and would not be moved

	// Before and After are the task definitions as RegisterTaskDefinition takes
	// them: JSON with sorted keys, without the deployer's own tags. What may be
	// a secret stands there as its length and the beginning of its SHA-256.
	Before, After []byte
}

// Change says what an order would change of what the service runs.
func (s *State) Change(o Order) (*Change, error) {
	next, _, err := s.registration(o, converge.Key{})
	if err != nil {
		return nil, err
	}
	next.Tags = ownTags(next.Tags)
	c := &Change{Runs: s.running.ARN(), Base: s.base().ARN(), Same: s.target.Identity(s.running) == ecsservice.IdentityOf(o.Image)}
	if c.Before, err = document(clone(s.running)); err != nil {
		return nil, err
	}
	c.After, err = document(next)
	return c, err
}

// document returns a registration as JSON for people to read.
func document(in *ecs.RegisterTaskDefinitionInput) ([]byte, error) {
	slices.SortFunc(in.Tags, func(a, b types.Tag) int { return strings.Compare(*a.Key, *b.Key) })
	body, err := wire(in)
	if err != nil {
		return nil, err
	}
	var all map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("reading a task definition: %w", err)
	}
	hide(all)
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(all) // sorts the keys
	return out.Bytes(), err
}

var errNotSent = errors.New("not sent")

// wire returns what the SDK would send ECS to register a task definition: a
// call that ends when it has been put into words.
func wire(in *ecs.RegisterTaskDefinitionInput) (body []byte, err error) {
	stop := middleware.BuildMiddlewareFunc("StopBeforeSending", func(_ context.Context, b middleware.BuildInput, _ middleware.BuildHandler) (out middleware.BuildOutput, m middleware.Metadata, err error) {
		if request, ok := b.Request.(*smithyhttp.Request); ok {
			body, err = io.ReadAll(request.GetStream())
		}
		return out, m, errors.Join(err, errNotSent)
	})
	_, err = ecs.New(ecs.Options{Region: "none"}).RegisterTaskDefinition(context.Background(), in, func(o *ecs.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Build.Add(stop, middleware.After) })
	})
	if len(body) == 0 {
		return nil, fmt.Errorf("putting a task definition into words: %w", err)
	}
	return body, nil
}

// secretive reports whether an option of a log driver is a secret by its name.
func secretive(name string) bool {
	return slices.ContainsFunc([]string{"token", "secret", "passw", "key", "credential", "auth", "dsn", "url"}, func(part string) bool {
		return strings.Contains(strings.ToLower(name), part)
	})
}

// every means all of an object's members.
func every(string) bool { return true }

// hide puts a stand-in for every value that may be a secret: what containers
// get in their environment and on their command lines, and what people write
// into labels and drivers' options. References to secrets are none.
func hide(all map[string]any) {
	for c := range objects(all["containerDefinitions"]) {
		for e := range objects(c["environment"]) {
			replace(e, func(name string) bool { return name == "value" })
		}
		for _, list := range []string{"command", "entryPoint"} {
			replaceAll(c[list])
		}
		replaceAll(object(c["healthCheck"])["command"])
		replace(object(c["dockerLabels"]), every)
		replace(object(object(c["logConfiguration"])["options"]), secretive)
		replace(object(object(c["firelensConfiguration"])["options"]), secretive)
	}
	for v := range objects(all["volumes"]) {
		docker := object(v["dockerVolumeConfiguration"])
		replace(object(docker["driverOpts"]), every)
		replace(object(docker["labels"]), every)
	}
}

// object returns v as an object, an empty one if it is none.
func object(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

// objects goes through the objects in a list.
func objects(v any) func(func(map[string]any) bool) {
	list, _ := v.([]any)
	return func(yield func(map[string]any) bool) {
		for _, one := range list {
			if !yield(object(one)) {
				return
			}
		}
	}
}

// replace puts stand-ins for an object's strings under some names.
func replace(o map[string]any, meant func(name string) bool) {
	for name, value := range o {
		if text, ok := value.(string); ok && meant(name) {
			o[name] = standIn(text)
		}
	}
}

// replaceAll puts stand-ins for the strings of a list.
func replaceAll(v any) {
	list, _ := v.([]any)
	for i, value := range list {
		if text, ok := value.(string); ok {
			list[i] = standIn(text)
		}
	}
}

// standIn tells a text apart from others without telling it.
func standIn(text string) string {
	return fmt.Sprintf("… %d characters, sha256 %.4x", utf8.RuneCountInString(text), sha256.Sum256([]byte(text)))
}
