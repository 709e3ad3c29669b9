package ecr

import (
	"regexp"
	"strconv"
	"strings"

	"deployer/testbed/aws/api"
)

var hostForm = regexp.MustCompile(`^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$`)

// parseReference returns the registry of an image reference and what follows its host. It is not ok for a reference to
// a registry outside ECR.
func parseReference(reference string) (registry api.Scope, rest string, ok bool) {
	host, rest, found := strings.Cut(reference, "/")
	m := hostForm.FindStringSubmatch(host)
	if !found || m == nil {
		return api.Scope{}, "", false
	}
	return api.Scope{Account: m[1], Region: m[2]}, rest, true
}

// Hosts reports whether an image reference is of an ECR registry.
func (e *Server) Hosts(reference string) bool {
	_, _, ok := parseReference(reference)
	return ok
}

// Pullable reports whether a task can pull the image: it is in ECR and not archived, or not of an ECR registry.
func (e *Server) Pullable(reference string) bool {
	if !e.Hosts(reference) {
		return true
	}
	found := e.resolve(reference)
	return found != nil && !found.archived
}

// Digest returns the digest that an image reference resolves to; "" if ECR has no such image.
func (e *Server) Digest(reference string) string {
	found := e.resolve(reference)
	if found != nil {
		return found.digest
	}
	return ""
}

// exitAnnotation is the annotation of an image whose program exits at once: the exit code. It stands for a program that
// crashes, so that a command can push one.
const exitAnnotation = "exit-code"

// ExitCode returns the code with which the image's program exits at once; 0 if it runs, or ECR has no such image.
func (e *Server) ExitCode(reference string) int {
	found := e.resolve(reference)
	if found == nil {
		return 0
	}
	code, err := strconv.Atoi(found.notes[exitAnnotation])
	if err != nil {
		return 0
	}
	return code
}

// resolve returns the image that a reference resolves to, or nil.
func (e *Server) resolve(reference string) *image {
	registry, rest, ok := parseReference(reference)
	if !ok {
		return nil
	}
	rest, digest, byDigest := strings.Cut(rest, "@")
	name, tag, tagged := strings.Cut(rest, ":")
	repo := e.registries[registry][name]
	switch {
	case repo == nil:
		return nil
	case byDigest:
		return repo.byDigest(digest)
	case !tagged:
		tag = "latest"
	}
	return repo.byTag(tag)
}
