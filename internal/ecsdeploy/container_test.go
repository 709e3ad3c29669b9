package ecsdeploy

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/image"
)

const digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// containers makes a task definition of name=image pairs; "-name" is not essential.
func containers(pairs ...string) *types.TaskDefinition {
	td := &types.TaskDefinition{TaskDefinitionArn: aws.String(arn + "f:1")}
	for _, pair := range pairs {
		name, img, _ := strings.Cut(pair, "=")
		plain := strings.TrimPrefix(name, "-")
		c := types.ContainerDefinition{Name: aws.String(plain), Image: aws.String(img)}
		if plain != name {
			c.Essential = aws.Bool(false)
		}
		td.ContainerDefinitions = append(td.ContainerDefinitions, c)
	}
	return td
}

func TestChoose(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		td   *types.TaskDefinition
		want []int
	}{
		{"by repository, behind a sidecar", containers("xray-daemon=amazon/aws-xray-daemon", "app="+host+"/p_service_web:v0"), []int{1}},
		{"repository of another registry", containers("a=nginx", "b=222222222222.dkr.ecr.eu-west-1.amazonaws.com/p_service_web@"+digest), []int{1}},
		{"two of the repository", containers("web="+host+"/p_service_web:v0", "-migrate="+host+"/p_service_web:v0"), []int{0, 1}},
		{"repository before name", containers("p_service_web_dev=nginx", "app="+host+"/p_service_web:v0"), []int{1}},
		{"a longer repository is another", containers("a="+host+"/p_service_web-api:v0", "p_service_web_dev=nginx"), []int{1}},
		{"by name", containers("a=nginx", "p_service_web_dev=placeholder"), []int{1}},
		{"the only essential one", containers("-init=busybox", "app=nginx", "adot-collector=public.ecr.aws/aws-observability/aws-otel-collector"), []int{1}},
		{"an image that is no reference", containers("p_service_web_dev=${image}"), []int{0}},
		{"two essential ones", containers("a=nginx", "b=redis"), nil},
		{"sidecars only", containers("xray-daemon=x"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := target.Containers(tt.td)
			if diff := cmp.Diff(tt.want, got); diff != "" || (err == nil) != (tt.want != nil) {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

func TestReferenceAndIdentity(t *testing.T) {
	t.Parallel()
	journal := []types.Tag{{Key: aws.String("deployer:tag"), Value: aws.String("v1")}, {Key: aws.String("deployer:digest"), Value: aws.String(digest)}}
	tests := []struct {
		name, have string
		form       environment.ImageForm
		tags       []types.Tag
		want       string
		same       bool
	}{
		{"by digest, same", host + "/p_service_web@" + digest, environment.ByDigest, nil, host + "/p_service_web@" + digest, true},
		{"by digest, with a tag too", host + "/p_service_web:v0@" + digest, environment.ByDigest, nil, host + "/p_service_web@" + digest, true},
		{"other digest", host + "/p_service_web@sha256:" + strings.Repeat("0", 64), environment.ByDigest, nil, host + "/p_service_web@" + digest, false},
		{"by tag, nobody knows which digest", host + "/p_service_web:v1", environment.ByDigest, nil, host + "/p_service_web@" + digest, false},
		{"by tag, the journal knows", host + "/p_service_web:v1", environment.ByTag, journal, host + "/p_service_web:v1", true},
		{"by tag, the journal speaks of another tag", host + "/p_service_web:v0", environment.ByTag, journal, host + "/p_service_web:v1", false},
		{"same digest in another registry", "222222222222.dkr.ecr.us-east-1.amazonaws.com/p_service_web@" + digest, environment.ByDigest, nil, host + "/p_service_web@" + digest, false},
		{"FIPS host is kept", "111111111111.dkr.ecr-fips.us-east-1.amazonaws.com/p_service_web@" + digest, environment.ByDigest, nil, "111111111111.dkr.ecr-fips.us-east-1.amazonaws.com/p_service_web@" + digest, true},
		{"dual-stack host is kept", "111111111111.dkr-ecr.us-east-1.on.aws/p_service_web:v0", environment.ByTag, nil, "111111111111.dkr-ecr.us-east-1.on.aws/p_service_web:v1", false},
		{"from Docker Hub", "nginx", environment.ByDigest, nil, host + "/p_service_web@" + digest, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := Order{Image: image.Reference{Host: host, Repository: "p_service_web", Tag: "v1", Digest: digest}, Form: tt.form}
			r := revision{containers("app=" + tt.have), tt.tags}
			if got := o.reference(r.ContainerDefinitions[0]).String(); got != tt.want {
				t.Errorf("reference %s, want %s", got, tt.want)
			}
			to := target
			to.Container = "app"
			if got := to.identity(r) == identityOf(o.Image); got != tt.same {
				t.Errorf("%s is %s: %v, want %v", to.identity(r), identityOf(o.Image), got, tt.same)
			}
		})
	}
}

func TestTagValue(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                            "",
		"git-abc_1.2 +-=._:/@":        "git-abc_1.2 +-=._:/@",
		"naïve \"quote\"\n<!channel>": "na_ve _quote____channel_",
		strings.Repeat("é", 300):      strings.Repeat("_", 256),
		strings.Repeat("a", 257):      strings.Repeat("a", 256),
		"\xff":                        "_",
	} {
		if got := TagValue(in); got != want {
			t.Errorf("TagValue(%q) = %q, want %q", in, got, want)
		}
	}
}
