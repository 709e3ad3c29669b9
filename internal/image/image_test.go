package image

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

func TestParseReference(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   string
		want Reference
	}{
		{"ecr digest", "111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend@" + digest,
			Reference{Host: "111111111111.dkr.ecr.us-east-1.amazonaws.com", Repository: "myproject_backend",
				Digest: digest}},
		{"ecr tag", "111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_service_web-api:git-abc123f",
			Reference{Host: "111111111111.dkr.ecr.us-east-1.amazonaws.com", Repository: "myproject_service_web-api",
				Tag: "git-abc123f"}},
		{"tag and digest", "111111111111.dkr.ecr.us-east-1.amazonaws.com/a:v1@" + digest,
			Reference{Host: "111111111111.dkr.ecr.us-east-1.amazonaws.com", Repository: "a", Tag: "v1",
				Digest: digest}},
		{"docker hub short", "nginx", Reference{Repository: "nginx"}},
		{"docker hub path", "amazon/aws-xray-daemon:3.x", Reference{Repository: "amazon/aws-xray-daemon", Tag: "3.x"}},
		{"host with port", "localhost:5000/a/b:1", Reference{Host: "localhost:5000", Repository: "a/b", Tag: "1"}},
		{"public ecr", "public.ecr.aws/aws-observability/aws-otel-collector:latest",
			Reference{Host: "public.ecr.aws", Repository: "aws-observability/aws-otel-collector", Tag: "latest"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseReference(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if got.String() != tt.in {
				t.Errorf("String() = %q, want %q", got.String(), tt.in)
			}
		})
	}
}

func TestParseReferenceRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"empty", "", `not an image reference: "": "" is not a repository`},
		{"bad digest", "a@sha256:12",
			`not an image reference: "a@sha256:12": the digest is not sha256: and 64 hex digits`},
		{"empty digest", "a@", `not an image reference: "a@": the digest is not sha256: and 64 hex digits`},
		{"empty tag", "a:", `not an image reference: "a:": "" is not a tag`},
		{"slash in tag", "a:b/c", `not an image reference: "a:b/c": "a:b" is not a host`},
		{"upper case", "Web", `not an image reference: "Web": "Web" is not a repository`},
		{"space", "a b", `not an image reference: "a b": "a b" is not a repository`},
		{"template", "${image}", `not an image reference: "${image}": "${image}" is not a repository`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseReference(tt.in)
			if !errors.Is(err, ErrReference) || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, host string
		want       Registry
		ok         bool
	}{
		{"plain", "111111111111.dkr.ecr.us-east-1.amazonaws.com", Registry{"111111111111", "us-east-1"}, true},
		{"leading zero", "012345670123.dkr.ecr.eu-central-1.amazonaws.com", Registry{"012345670123", "eu-central-1"},
			true},
		{"china", "111111111111.dkr.ecr.cn-north-1.amazonaws.com.cn", Registry{"111111111111", "cn-north-1"}, true},
		{"govcloud", "111111111111.dkr.ecr.us-gov-west-1.amazonaws.com", Registry{"111111111111", "us-gov-west-1"},
			true},
		{"iso", "111111111111.dkr.ecr.us-iso-east-1.c2s.ic.gov", Registry{"111111111111", "us-iso-east-1"}, true},
		{"fips", "111111111111.dkr.ecr-fips.us-east-1.amazonaws.com", Registry{"111111111111", "us-east-1"}, true},
		{"dual stack", "111111111111.dkr-ecr.us-east-1.on.aws", Registry{"111111111111", "us-east-1"}, true},
		{"dual stack fips", "111111111111.dkr-ecr-fips.us-east-1.on.aws", Registry{"111111111111", "us-east-1"}, true},
		{"wrong suffix", "111111111111.dkr.ecr.cn-north-1.amazonaws.com", Registry{}, false},
		{"look-alike", "111111111111.dkr.ecr.us-east-1.amazonaws.com.evil.example", Registry{}, false},
		{"not ecr", "ghcr.io", Registry{}, false},
		{"eleven digits", "11111111111.dkr.ecr.us-east-1.amazonaws.com", Registry{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := ParseHost(tt.host)
			if got != tt.want || ok != tt.ok {
				t.Errorf("ParseHost(%q) = %v, %v; want %v, %v", tt.host, got, ok, tt.want, tt.ok)
			}
			if again, isOne := ParseHost(got.Host()); ok && (!isOne || again != got) {
				t.Errorf("ParseHost(%q) = %v, %v; want what it was made of", got.Host(), again, isOne)
			}
		})
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]bool{
		"latest": true, "git-abc123f": true, "v1.2.3": true, "_x": true, strings.Repeat("a", 128): true,
		"": false, "-x": false, ".x": false, "a/b": false, "a:b": false, "a b": false, strings.Repeat("a", 129): false,
		"é": false,
	} {
		if ValidTag(tag) != want {
			t.Errorf("ValidTag(%q) = %v, want %v", tag, !want, want)
		}
	}
	sig := "sha256-" + strings.TrimPrefix(digest, "sha256:")
	for tag, want := range map[string]bool{sig + ".sig": true, sig + ".att": true, sig + ".sbom": true, sig: false,
		"sha256-abc.sig": false} {
		if IsSignature(tag) != want {
			t.Errorf("IsSignature(%q) = %v, want %v", tag, !want, want)
		}
	}
}

func TestRepositoryARN(t *testing.T) {
	t.Parallel()
	r := Registry{"111111111111", "cn-north-1"}
	if got, want := r.RepositoryARN("p_backend"),
		"arn:aws-cn:ecr:cn-north-1:111111111111:repository/p_backend"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzParseReference checks that an accepted reference is printed unchanged, and that
// every error wraps ErrReference.
func FuzzParseReference(f *testing.F) {
	for _, s := range []string{"nginx", "a:b", "a@" + digest, "localhost:5000/a:1",
		"111111111111.dkr.ecr.us-east-1.amazonaws.com/a:v1@" + digest, "", ":", "@", "/", "a//b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseReference(s)
		if err != nil {
			if !errors.Is(err, ErrReference) {
				t.Errorf("the error of %q does not wrap ErrReference: %v", s, err)
			}
			return
		}
		if r.String() != s {
			t.Errorf("ParseReference(%q).String() = %q", s, r.String())
		}
	})
}
