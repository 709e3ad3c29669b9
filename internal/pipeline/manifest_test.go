package pipeline

import (
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
)

// TestOnlyImagesDeploy checks that what cannot run on the service's tasks is rejected,
// and that nothing is registered for it.
func TestOnlyImagesDeploy(t *testing.T) {
	t.Parallel()
	manifest := func(name string) func(*testing.T, *fixture) {
		return func(t *testing.T, f *fixture) {
			t.Helper()
			text, err := os.ReadFile("../image/testdata/manifests/" + name)
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.accounts["dev"].ECR.PutImage(t.Context(), &ecr.PutImageInput{
				RepositoryName: aws.String("myproject_backend"), ImageTag: aws.String("git-abc123f"),
				ImageManifest: aws.String(string(text)),
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	index := func(platforms ...string) func(*testing.T, *fixture) {
		return func(t *testing.T, f *fixture) {
			t.Helper()
			_, err := f.accounts["dev"].PushIndex(t.Context(), "myproject_backend", "v2", platforms, "git-abc123f")
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	const (
		looking = `looking for tag "git-abc123f" in ECR repository "myproject_backend" of account 111111111111 in ` +
			`us-east-1: not a container image: it is `
		hint = ` (push the image under this tag again, and anything else under another tag or to another repository; ` +
			`see what is there: aws ecr batch-get-image --registry-id 111111111111 --region us-east-1 ` +
			`--repository-name myproject_backend --image-ids imageTag=git-abc123f)`
	)
	tests := []struct {
		name string
		push func(*testing.T, *fixture)
		want string // the reason of the rejection; "" if it deploys
	}{
		{"Helm chart", manifest("helm-chart.json"),
			looking + `a Helm chart (the config's mediaType is application/vnd.cncf.helm.config.v1+json)` + hint},
		{"bill of materials", manifest("sbom-by-artifact-type.json"),
			looking + `a software bill of materials (artifactType is application/spdx+json)` + hint},
		{"only attestations", index("unknown/unknown"), looking +
			`an index without an image for any platform; it lists ` +
			`an attestation (application/vnd.in-toto+json)` + hint},
		{"only arm64", index("linux/arm64", "unknown/unknown"), `deploying tag "git-abc123f" to service ` +
			`"myproject_service_prod": the image is built for linux/arm64, and the tasks run on linux/amd64 ` +
			`(build it ` +
			`for linux/amd64 as well (docker buildx build --platform linux/amd64), or change runtimePlatform of task ` +
			`definition family "myproject_service_prod" in the infrastructure)`},
		{"both", index("linux/arm64", "linux/amd64"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "prod")
			tt.push(t, f)
			f.aws.ResetCalls()
			deploy := deployEvent("e1", f.clock.Now(), "prod", `{"service":"backend","tag":"git-abc123f"}`)
			got, err := f.function().Handle(t.Context(), deploy)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == "" {
				if got.Status != ecsdeploy.Deployed {
					t.Errorf("got %+v", got)
				}
				return
			}
			if got.Status != ecsdeploy.Rejected || got.Reason != tt.want {
				t.Errorf("got  %s %s\nwant %s", got.Status, got.Reason, tt.want)
			}
			for _, c := range f.aws.Calls() {
				if strings.HasPrefix(c.Operation, "Register") || strings.HasPrefix(c.Operation, "Update") {
					t.Errorf("it called %s", c.Operation)
				}
			}
		})
	}
}

// TestSinglePlatform checks that the platform of a single image is read from its
// configuration, by a command and by the function, and that both go on, saying so, if
// they may not read it or cannot.
func TestSinglePlatform(t *testing.T) {
	t.Parallel()
	const moved = "the service is being moved to the new revision"
	const unchecked = moved + "; the image's platform was not checked: "
	denied := func(f *fixture) {
		f.aws.Inject(emulator.Fault{Operation: "ecr:GetDownloadUrlForLayer", Error: emulator.AccessDenied("no")})
	}
	failing := func(f *fixture) {
		f.aws.Inject(emulator.Fault{Operation: "s3:GetObject", Error: &emulator.Error{Code: "SlowDown", Status: 503}})
	}
	for _, tt := range []struct {
		name, architecture string
		damage             func(*fixture)
		status             ecsdeploy.Status
		want               string
	}{
		{"fits", "amd64", nil, ecsdeploy.Deployed, moved},
		{"does not fit", "arm64", nil, ecsdeploy.Rejected, `deploying tag "v9" to service "myproject_service_dev": ` +
			`the image is built for linux/arm64, and the tasks run on linux/amd64 (build it for linux/amd64 as well ` +
			`(docker buildx build --platform linux/amd64), or change runtimePlatform of task definition family ` +
			`"myproject_service_dev" in the infrastructure)`},
		{"denied", "arm64", denied, ecsdeploy.Deployed, unchecked + "AccessDeniedException: no"},
		{"no download", "arm64", failing, ecsdeploy.Deployed, unchecked +
			"reading the image's configuration: the download failed: 503 Service Unavailable"},
	} {
		command := func(t *testing.T, f *fixture) (Result, error) {
			t.Helper()
			w, _ := f.env.Find("backend", environment.Services...)
			return New(f.env, f.accounts["dev"].Config).Deploy(t.Context(), event.Request{Workload: w, Tag: "v9",
				Cause: event.Cause{ID: "c1", Time: f.clock.Now(), Source: "deployer.cli"}})
		}
		function := func(t *testing.T, f *fixture) (Result, error) {
			t.Helper()
			deploy := deployEvent("e1", f.clock.Now(), "dev", `{"service":"backend","tag":"v9"}`)
			return f.function().Handle(t.Context(), deploy)
		}
		for by, run := range map[string]func(*testing.T, *fixture) (Result, error){
			"command": command, "function": function,
		} {
			t.Run(tt.name+"/"+by, func(t *testing.T) {
				t.Parallel()
				f := newFixture(t, "dev")
				_, err := f.accounts["dev"].PushFor(t.Context(), tt.architecture, "myproject_backend", "v9", "v9")
				if err != nil {
					t.Fatal(err)
				}
				if tt.damage != nil {
					tt.damage(f)
				}
				f.aws.ResetCalls()
				got, err := run(t, f)
				if err != nil || got.Status != tt.status || got.Reason != tt.want {
					t.Errorf("got  %v %s %s\nwant %s", err, got.Status, got.Reason, tt.want)
				}
				for _, c := range f.aws.Calls() {
					if tt.status == ecsdeploy.Rejected && strings.HasPrefix(c.Operation, "Register") {
						t.Errorf("it called %s", c.Operation)
					}
				}
			})
		}
	}
}

// onInstances is the service, the family and the container of TestPlatformOnInstances.
const onInstances = "myproject_service_api_dev"

// TestPlatformOnInstances checks that an image for ARM is deployed to container instances, since these may be of ARM,
// and that the result says so unless a runtimePlatform does. What no instance of ECS can run is rejected.
func TestPlatformOnInstances(t *testing.T) {
	t.Parallel()
	const moved = "the service is being moved to the new revision"
	const note = `; whether its tasks can run was not checked: the image is built for linux/arm64, and task ` +
		`definition family "myproject_service_api_dev" has no runtimePlatform that says so`
	const partly = "; the image's platform was not checked: its manifest does not name the platform of each image"
	arm := &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureArm64}
	x86 := &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureX8664}
	w2019 := &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureX8664,
		OperatingSystemFamily: types.OSFamilyWindowsServer2019Core}
	rejected := `deploying tag "v9" to service "` + onInstances + `": the image is built for `
	for _, tt := range []struct {
		name      string
		platforms []string // one with a plus: a single image
		runtime   *types.RuntimePlatform
		want      string
	}{
		{"a single one for ARM", []string{"+arm64"}, nil, moved + note},
		{"a single one for ARM, as the task definition says", []string{"+arm64"}, arm, moved},
		{"a single one, the usual one", []string{"+amd64"}, nil, moved},
		{"an image without a platform", []string{"/"}, nil, moved + partly},
		{"an image without a platform, and the right one", []string{"linux/amd64", "/"}, nil, moved},
		{"an image without a platform, and an architecture", []string{"/"}, x86, moved + partly},
		{"what no instance runs", []string{"linux/s390x"}, nil, rejected + "linux/s390x, which nothing in ECS can " +
			"run (build it for the platform of the container instances, such as linux/amd64 (docker buildx build " +
			"--platform linux/amd64))"},
		{"not for the architecture", []string{"linux/arm64"}, x86, rejected + "linux/arm64, and the tasks run on " +
			"any/amd64 (build it for linux/amd64 as well (docker buildx build --platform linux/amd64), or change " +
			`runtimePlatform of task definition family "` + onInstances + `" in the infrastructure)`},
		{"ARM", []string{"linux/arm64"}, nil, moved + note},
		{"ARM, as the task definition says", []string{"linux/arm64"}, arm, moved},
		{"ARM, and another member", []string{"linux/arm64"},
			&types.RuntimePlatform{OperatingSystemFamily: types.OSFamilyLinux}, moved + note},
		{"both", []string{"linux/arm64", "linux/amd64"}, nil, moved},
		{"Windows of the same build", []string{"windows/amd64/10.0.20348.169", "windows/amd64/10.0.17763.5329"}, w2019,
			moved},
		{"Windows without a version", []string{"windows/amd64"}, w2019, moved},
		{"newer Windows", []string{"windows/amd64/10.0.20348.169"}, w2019, rejected + "windows/amd64 " +
			"10.0.20348.169, and the tasks run on windows/amd64 10.0.17763 (build it from a base image of Windows " +
			"10.0.17763, because a host does not run images of a newer Windows, or change operatingSystemFamily of " +
			`task definition family "` + onInstances + `" in the infrastructure)`},
		{"older Windows", []string{"windows/amd64/10.0.14393.1"}, w2019, moved + "; whether its tasks can run " +
			"was not checked: the image is built for windows/amd64 10.0.14393.1, and they run on windows/amd64 " +
			"10.0.17763, whose hosts run older images under Hyper-V isolation only, or those of Windows Server " +
			"2022 from 2025 on"},
		{"Linux on Windows", []string{"linux/amd64"}, w2019, rejected + "linux/amd64, and the tasks run on " +
			"windows/amd64 10.0.17763 (build it for windows/amd64 as well (docker buildx build --platform " +
			`windows/amd64), or change runtimePlatform of task definition family "` + onInstances + `" in the ` +
			"infrastructure)"},
		{"the usual one", []string{"linux/amd64"}, nil, moved},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "dev")
			dev := f.accounts["dev"]
			var err error
			if architecture, single := strings.CutPrefix(tt.platforms[0], "+"); single {
				_, err = dev.PushFor(t.Context(), architecture, "myproject_backend", "v9", "v9")
			} else {
				_, err = dev.PushIndex(t.Context(), "myproject_backend", "v2", tt.platforms, "v9")
			}
			if err != nil {
				t.Fatal(err)
			}
			_, err = dev.Service(t.Context(), "myproject_cluster_dev", onInstances,
				accounts.Dev+".dkr.ecr."+accounts.Region+".amazonaws.com/myproject_backend:v1",
				func(td *ecs.RegisterTaskDefinitionInput, s *ecs.CreateServiceInput) {
					td.RequiresCompatibilities, td.RuntimePlatform = nil, tt.runtime
					s.LaunchType = types.LaunchTypeEc2
				})
			if err != nil {
				t.Fatal(err)
			}
			f.env, err = environment.Parse("dev.yaml", []byte("project: myproject\nenv: dev\nregion: us-east-1\n"+
				"account_id: \""+accounts.Dev+"\"\necr_strategy: local\ndeployer: {workloads: {backend: {service: "+
				onInstances+", family: "+onInstances+", container: "+onInstances+"}}}\n"))
			if err != nil {
				t.Fatal(err)
			}
			w, _ := f.env.Find("backend", environment.Services...)
			got, err := New(f.env, dev.Config).Deploy(t.Context(), event.Request{Workload: w, Tag: "v9",
				Cause: event.Cause{ID: "c1", Time: f.clock.Now(), Source: "deployer.cli"}})
			status := ecsdeploy.Deployed
			if strings.HasPrefix(tt.want, rejected) {
				status = ecsdeploy.Rejected
			}
			if err != nil || got.Status != status || got.Reason != tt.want {
				t.Errorf("got  %v %s %s\nwant %s", err, got.Status, got.Reason, tt.want)
			}
		})
	}
}
