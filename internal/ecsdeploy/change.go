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

// Change is the difference that a deployment would make to what a service runs.
type Change struct {
	Runs string // ARN of the revision that the service runs
	Base string // ARN of the revision that would be cloned
	Same bool   // the service already runs the order's image, and would not be moved

	// Before and After are the task definitions as RegisterTaskDefinition takes
	// them: JSON with sorted keys, without the deployer's own tags. Possible
	// secrets are replaced by their length and the beginning of their SHA-256.
	Before, After []byte
}

// Change returns the difference that an order would make.
func (s *State) Change(o Order) (*Change, error) {
	next, _, err := s.registration(o, converge.Registration{})
	if err != nil {
		return nil, err
	}
	next.Tags = OwnTags(next.Tags)
	same := s.target.Identity(s.running) == ecsservice.IdentityOf(o.Image)
	c := &Change{Runs: s.running.ARN(), Base: s.base().ARN(), Same: same}
	if c.Before, err = document(s.running, clone(s.running)); err != nil {
		return nil, err
	}
	c.After, err = document(s.base(), next)
	return c, err
}

// document returns a registration, a clone of revision r, as indented JSON without
// secrets.
func document(r ecsservice.Revision, in *ecs.RegisterTaskDefinitionInput) ([]byte, error) {
	slices.SortFunc(in.Tags, func(a, b types.Tag) int { return strings.Compare(*a.Key, *b.Key) })
	body, err := body(r, in)
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

// wire returns the body that the SDK would send to register a task definition.
// It makes a call that ends before it is sent.
func wire(in *ecs.RegisterTaskDefinitionInput) (body []byte, err error) {
	capture := func(
		_ context.Context, b middleware.BuildInput, _ middleware.BuildHandler,
	) (out middleware.BuildOutput, m middleware.Metadata, err error) {
		if request, ok := b.Request.(*smithyhttp.Request); ok {
			body, err = io.ReadAll(request.GetStream())
		}
		return out, m, errors.Join(err, errNotSent)
	}
	stop := func(s *middleware.Stack) error {
		return s.Build.Add(middleware.BuildMiddlewareFunc("StopBeforeSending", capture), middleware.After)
	}
	client := ecs.New(ecs.Options{Region: "none", APIOptions: []func(*middleware.Stack) error{stop}})
	_, err = client.RegisterTaskDefinition(context.Background(), in)
	if len(body) == 0 {
		return nil, fmt.Errorf("encoding a task definition: %w", err)
	}
	return body, nil
}

// IsSecret reports whether a setting, such as an option of a log driver, is probably a secret, by its name.
func IsSecret(name string) bool {
	parts := []string{"token", "secret", "passw", "key", "credential", "auth", "dsn", "url"}
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(strings.ToLower(name), part) })
}

// always selects every member of an object.
func always(string) bool { return true }

// hide replaces every value that may be a secret: environment variables, command
// lines, labels, and options of drivers. References to secrets are kept.
func hide(all map[string]any) {
	for c := range objects(all["containerDefinitions"]) {
		for e := range objects(c["environment"]) {
			replace(e, func(name string) bool { return name == "value" })
		}
		for _, list := range []string{"command", "entryPoint"} {
			replaceAll(c[list])
		}
		replaceAll(object(c["healthCheck"])["command"])
		replace(object(c["dockerLabels"]), always)
		replace(object(object(c["logConfiguration"])["options"]), IsSecret)
		replace(object(object(c["firelensConfiguration"])["options"]), IsSecret)
	}
	for v := range objects(all["volumes"]) {
		docker := object(v["dockerVolumeConfiguration"])
		replace(object(docker["driverOpts"]), always)
		replace(object(docker["labels"]), always)
	}
}

// object returns v as an object, nil if it is something else.
func object(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

// objects iterates over the objects in a list.
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

// replace replaces the strings of an object whose names are selected.
func replace(o map[string]any, selected func(name string) bool) {
	for name, value := range o {
		if text, ok := value.(string); ok && selected(name) {
			o[name] = fingerprint(text)
		}
	}
}

// replaceAll replaces the strings of a list.
func replaceAll(v any) {
	list, _ := v.([]any)
	for i, value := range list {
		if text, ok := value.(string); ok {
			list[i] = fingerprint(text)
		}
	}
}

// fingerprint distinguishes a text from others without revealing it.
func fingerprint(text string) string {
	return fmt.Sprintf("… %d characters, sha256 %.4x", utf8.RuneCountInString(text), sha256.Sum256([]byte(text)))
}

// Document returns a revision as RegisterTaskDefinition takes it: JSON without the deployer's
// own tags. It has every value, secrets in environment variables too.
func Document(r ecsservice.Revision) ([]byte, error) { return body(r, clone(r)) }
