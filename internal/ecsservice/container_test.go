package ecsservice

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/image"
	"deployer/internal/journal"
)

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
		{"by repository, behind a sidecar", containers("xray-daemon=amazon/aws-xray-daemon",
			"app="+host+"/p_service_web:v0"), []int{1}},
		{"repository of another registry", containers("a=nginx",
			"b=222222222222.dkr.ecr.eu-west-1.amazonaws.com/p_service_web@"+digest), nil},
		{"the only essential one, of another registry", containers("-a=nginx",
			"b=222222222222.dkr.ecr.eu-west-1.amazonaws.com/p_service_web@"+digest), []int{1}},
		{"the registry before another one", containers(
			"a=222222222222.dkr.ecr.eu-west-1.amazonaws.com/p_service_web@"+digest, "b="+host+"/p_service_web:v0"),
			[]int{1}},
		{"the name before another registry", containers(
			"a=222222222222.dkr.ecr.eu-west-1.amazonaws.com/p_service_web@"+digest, "p_service_web_dev=nginx"),
			[]int{1}},
		{"an image of that name outside ECR", containers("a=docker.io/p_service_web:v0", "b=nginx"), nil},
		{"one image by two hosts", containers("a="+host+"/p_service_web:v0",
			"b=111111111111.dkr-ecr.us-east-1.on.aws/p_service_web:v0"), []int{0, 1}},
		{"two of the repository", containers("web="+host+"/p_service_web:v0", "-migrate="+host+"/p_service_web:v0"),
			[]int{0, 1}},
		{"repository before name", containers("p_service_web_dev=nginx", "app="+host+"/p_service_web:v0"), []int{1}},
		{"a longer repository is another", containers("a="+host+"/p_service_web-api:v0", "p_service_web_dev=nginx"),
			[]int{1}},
		{"one image, with and without latest",
			containers("a="+host+"/p_service_web", "b="+host+"/p_service_web:latest"),
			[]int{0, 1}},
		{"by name", containers("a=nginx", "p_service_web_dev=placeholder"), []int{1}},
		{"the only essential one", containers("-init=busybox", "app=nginx",
			"adot-collector=public.ecr.aws/aws-observability/aws-otel-collector"), []int{1}},
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

// TestChooseNamed checks that the containers in the environment file decide alone.
func TestChooseNamed(t *testing.T) {
	t.Parallel()
	td := containers("nginx="+host+"/p_service_web:nginx-41", "php="+host+"/p_service_web:php-41",
		"cron="+host+"/p_service_web:php-41", "p_service_web_dev=busybox")
	const same = "nginx (" + host + "/p_service_web:nginx-41), php (" + host + "/p_service_web:php-41), cron (" + host +
		"/p_service_web:php-41)"
	const all = same + ", p_service_web_dev (busybox)"
	const choosing = `choosing the container of task definition "` + arn + `f:1" that runs "p_service_web": `
	tests := []struct {
		name    string
		named   []string
		want    []int
		wantErr string
	}{
		{"one", []string{"php"}, []int{1}, ""},
		{"two", []string{"cron", "php"}, []int{1, 2}, ""},
		{"one with another image", []string{"p_service_web_dev"}, []int{3}, ""},
		{"one that is not there", []string{"php", "pph"}, nil, choosing +
			`deployer.workloads.web.container names the container "pph", and the containers are ` + all +
			` (correct deployer.workloads.web.container in dev.yaml)`},
		{"different images", nil, nil, choosing + `3 containers run different images of it: ` + same +
			` (name the one that deployments change, or those of one image: for example, write into dev.yaml below ` +
			`deployer: workloads: {web: {container: [nginx]}})`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			to := target
			to.Named = tt.named
			got, err := to.Containers(td)
			text := ""
			if err != nil {
				text = err.Error()
			}
			if diff := cmp.Diff(tt.wantErr, text) + cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNotChosen checks what the error says to write.
func TestNotChosen(t *testing.T) {
	t.Parallel()
	const old = "222222222222.dkr.ecr.eu-west-1.amazonaws.com/p_service_web:v0"
	const none = `choosing the container of task definition "` + arn + `f:1" that runs "p_service_web": none runs an ` +
		`image of that repository of account 111111111111 in us-east-1, none is called "p_service_web_dev", and `
	for _, tt := range []struct {
		name string
		td   *types.TaskDefinition
		want string
	}{
		{"moved from another registry", containers("envoy2=nginx", "app="+old, "worker="+old), none +
			"3 are essential: envoy2 (nginx), app (" + old + "), worker (" + old + ") (if those of the repository in " +
			"another registry are meant, write into dev.yaml below deployer: " +
			"workloads: {web: {container: [app, worker]}})"},
		{"two essential ones", containers("a=nginx", "b=redis"), none + "2 are essential: a (nginx), b (redis) (name " +
			"the one that deployments change: write into dev.yaml below deployer: " +
			"workloads: {web: {container: [a, b]}})"},
	} {
		if _, err := target.Containers(tt.td); err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	journaled := SDKTags([]journal.Tag{{Key: "deployer:tag", Value: "v1"}, {Key: "deployer:digest", Value: digest}})
	tests := []struct {
		name, have string
		tags       []types.Tag
		same       bool
	}{
		{"by digest", host + "/p_service_web@" + digest, nil, true},
		{"by digest, with a tag too", host + "/p_service_web:v0@" + digest, nil, true},
		{"another digest", host + "/p_service_web@sha256:" + strings.Repeat("0", 64), nil, false},
		{"by tag, the digest is not known", host + "/p_service_web:v1", nil, false},
		{"by tag, the journal has the digest", host + "/p_service_web:v1", journaled, true},
		{"by tag, the journal has another tag", host + "/p_service_web:v0", journaled, false},
		{"same digest in another registry", "222222222222.dkr.ecr.us-east-1.amazonaws.com/p_service_web@" + digest, nil,
			false},
		{"FIPS host", "111111111111.dkr.ecr-fips.us-east-1.amazonaws.com/p_service_web@" + digest, nil, true},
		{"dual-stack host, by tag", "111111111111.dkr-ecr.us-east-1.on.aws/p_service_web:v0", nil, false},
		{"from Docker Hub", "nginx", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := Revision{containers("app=" + tt.have), tt.tags, nil}
			to := target
			to.Container = "app"
			ref := image.Reference{Host: host, Repository: "p_service_web", Tag: "v1", Digest: digest}
			if got := to.Identity(r) == IdentityOf(ref); got != tt.same {
				t.Errorf("%s is %s: %v, want %v", to.Identity(r), IdentityOf(ref), got, tt.same)
			}
		})
	}
}
