package environment

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"deployer/internal/image"
)

// byHand gives a workload the image that the file names under a key. If that is in a
// private registry of ECR, the workload deploys from its repository there; else its
// image is external. It reports whether the file names one.
func (w *Workload) byHand(e *Environment, s section, key string) bool {
	text := s.text(key)
	if text == "" {
		return false
	}
	ref, err := image.ParseReference(strings.TrimPrefix(text, "https://"))
	registry, isECR := ref.Registry()
	if isECR && err == nil {
		s.checkPartition(e, key, registry.Region)
	} else if looksLikeECR(text) {
		why := "its host is not 12 digits, .dkr.ecr., a region and the suffix of its partition"
		var wrong *image.ReferenceError
		host, _, _ := strings.Cut(strings.TrimPrefix(text, "https://"), "/")
		switch {
		case errors.As(err, &wrong):
			why = wrong.Part
		case host != strings.ToLower(host):
			why = "its host is not in lower case"
		}
		s.fault(key, "is "+quote(Mask(text))+", which looks like an image of ECR, but "+why,
			"write it like 111111111111.dkr.ecr."+cmp.Or(e.Region, "us-east-1")+".amazonaws.com/name:v1")
	} else if why := malformed(strings.TrimPrefix(text, "https://")); why != "" {
		s.fault(key, "is "+quote(Mask(text))+", not an image: "+why,
			"write it like nginx:1.29, or ghcr.io/owner/name@sha256: and 64 hex digits")
	}
	if err != nil || !isECR {
		w.External, w.Repository = Mask(text), ""
	} else {
		w.Repository, w.Registry, w.RegistryReason = ref.Repository, registry, s.path+key+" names it"
	}
	if err == nil && ref.Digest == "" && isMoving(ref.Tag) && w.Disabled == "" {
		what := "has the moving tag " + quote(ref.Tag)
		if ref.Tag == "" {
			what = "has no tag, which means latest"
		}
		s.adviseOn(key, what+": a task that starts later may run another image than the others",
			"write a tag that never moves, or a digest")
	}
	return true
}

// looksLikeECR reports whether the host of an image is meant to be a private registry of
// ECR. Docker's grammar allows upper case in it (moby issue 20056), but credentials are looked up by the name as it is
// written, and ECR's are for the one in lower case.
func looksLikeECR(text string) bool {
	host, _, _ := strings.Cut(strings.TrimPrefix(text, "https://"), "/")
	host = strings.ToLower(host)
	isAWS := func(suffix string) bool { return strings.HasSuffix(host, suffix) }
	return (strings.Contains(host, ".dkr.ecr") || strings.Contains(host, ".dkr-ecr")) &&
		(strings.Contains(host, ".amazonaws.") || slices.ContainsFunc(suffixesOfAWS, isAWS))
}

// suffixesOfAWS are the ends of ECR's hosts other than amazonaws.com, .com.cn and .eu: those of dual-stack hosts, and
// of the isolated partitions (ecrPattern in ecr-login/api/client.go of awslabs/amazon-ecr-credential-helper v0.12.0).
var suffixesOfAWS = []string{".on.aws", ".on.amazonwebservices.com.cn", ".sc2s.sgov.gov", ".c2s.ic.gov",
	".cloud.adc-e.uk", ".csp.hci.ic.gov"}

// movingTags are tags that are usually moved to newer images.
var movingTags = []string{"", "latest", "stable", "edge", "main", "master", "nightly", "dev", "develop", "staging",
	"prod",
	"production", "release"}

func isMoving(tag string) bool { return slices.Contains(movingTags, strings.ToLower(tag)) }

// checkRegions warns about images that are pulled from another region.
func (s section) checkRegions(e *Environment, places map[int]section) {
	const why = ": every start of a task pulls its image from another region, which is slower and is charged as data " +
		"transfer"
	fix := "replicate the images to " + e.Region + ", and name the registry there"
	cluster := ", and the cluster is in " + e.Region + why
	if r := e.Registry().Region; r != e.Region && r != "" {
		s.adviseOn("ecr_account_region", "is "+r+cluster, fix)
	}
	for i, w := range e.Workloads {
		place, ok := places[i]
		same := w.Registry.Region == e.Region || w.Registry == e.Registry()
		if !ok || same || w.Disabled != "" || w.Registry.Region == "" {
			continue
		}
		key := "ecr_config"
		for _, byHand := range []string{"docker_image", "backend_external_docker_image"} {
			if place.text(byHand) != "" {
				key = byHand
			}
		}
		place.adviseOn(key, "is in "+w.Registry.Region+cluster, fix)
	}
}
