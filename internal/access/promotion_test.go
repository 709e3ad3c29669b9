package access

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/iam"
)

// TestPromotionLetsIn: the role may read the source and write the target, and no more.
func TestPromotionLetsIn(t *testing.T) {
	t.Parallel()
	const (
		target       = "arn:aws:ecr:us-east-1:333333333333:repository/myproject_backend"
		targetReport = "arn:aws:ecr:us-east-1:333333333333:repository/myproject_task_nightly-report"
		report       = "arn:aws:ecr:us-east-1:111111111111:repository/myproject_task_nightly-report"
	)
	role := func(action, resource string) iam.Request { return caller(prodAccount, "", action, resource) }
	copying, err := Promotion(example(t, "isolated-production-ecr/dev"), example(t, "isolated-production-ecr/prod"))
	must(t, err)
	ask(t, parse(t, copying.JSON, ""), []question{
		{"reads the source", role("ecr:BatchGetImage", backend), iam.Allow},
		{"reads its layers", role("ecr:GetDownloadUrlForLayer", backend), iam.Allow},
		{"writes the source", role("ecr:PutImage", backend), iam.NoMatch},
		{"writes the target", role("ecr:PutImage", target), iam.Allow},
		{"deletes", role("ecr:BatchDeleteImage", target), iam.NoMatch},
		{"writes another repository", role("ecr:PutImage", target+"_other"), iam.NoMatch},
		{"reads a task's source", role("ecr:BatchGetImage", report), iam.Allow},
		{"writes a task's source", role("ecr:PutImage", report), iam.NoMatch},
		{"writes a task's target", role("ecr:PutImage", targetReport), iam.Allow},
	})
	tagging, err := Promotion(example(t, "centralized-dev-ecr/staging"), example(t, "centralized-dev-ecr/prod"))
	must(t, err)
	ask(t, parse(t, tagging.JSON, ""), []question{
		{"reads the image", role("ecr:BatchGetImage", backend), iam.Allow},
		{"puts the tag", role("ecr:PutImage", backend), iam.Allow},
		{"uploads layers", role("ecr:UploadLayerPart", backend), iam.NoMatch},
		{"puts the tag of a task's image", role("ecr:PutImage", report), iam.Allow},
	})
}

// TestPromotedRepositories: which repositories of two environments a promotion reads and writes.
func TestPromotedRepositories(t *testing.T) {
	t.Parallel()
	const (
		dev  = "env: dev\nregion: us-east-1\naccount_id: \"111111111111\"\necr_strategy: local\n"
		prod = "env: prod\nregion: us-east-1\naccount_id: \"333333333333\"\necr_strategy: local\n"
	)
	for _, tt := range []struct {
		name, from, to string
		want           []string // read, in dev, and written, in prod
	}{
		{"the backend alone", "", "", []string{"backend"}},
		{"a scheduled task", "scheduled_tasks: [{name: report}]\n", "scheduled_tasks: [{name: report}]\n",
			[]string{"backend", "task_report"}},
		{"an event task", "event_processor_tasks: [{name: thumbs}]\n", "event_processor_tasks: [{name: thumbs}]\n",
			[]string{"backend", "task_thumbs"}},
		{"a task that an event starts in one, and a schedule in the other", "event_processor_tasks: [{name: thumbs}]\n",
			"scheduled_tasks: [{name: thumbs}]\n", []string{"backend", "task_thumbs"}},
		{"a task of one environment alone", "scheduled_tasks: [{name: report}]\n", "", []string{"backend"}},
		{"a service and a task of one name", "services: [{name: report}]\nscheduled_tasks: [{name: report}]\n",
			"services: [{name: report}]\nscheduled_tasks: [{name: report}]\n",
			[]string{"backend", "service_report", "task_report"}},
		{"a service here, and a task of its name there", "services: [{name: report}]\n",
			"scheduled_tasks: [{name: report}]\n", []string{"backend"}},
		{"a service that is called backend", "services: [{name: backend}]\n", "services: [{name: backend}]\n",
			[]string{"backend", "service_backend"}},
	} {
		rights, _, err := promoting(file(t, dev+tt.from), file(t, prod+tt.to), "")
		must(t, err)
		for i, account := range []string{"111111111111", "333333333333"} {
			var want []string
			for _, name := range tt.want {
				want = append(want, "arn:aws:ecr:us-east-1:"+account+":repository/myproject_"+name)
			}
			if diff := cmp.Diff(named(want), rights[i].Resource); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", tt.name, rights[i].Sid, diff)
			}
		}
	}
}

// TestPromotedTags: two services and a task that run the images of one repository get its right once.
func TestPromotedTags(t *testing.T) {
	t.Parallel()
	const (
		other  = "workload: {backend_external_docker_image: 'nginx:1.29'}\n"
		one    = "docker_image: '111111111111.dkr.ecr.us-east-1.amazonaws.com/shop'"
		shared = other + "region: us-east-1\nservices: [{name: web, " + one +
			"}, {name: admin, " + one + "}]\nscheduled_tasks: [{name: report, " + one + "}]\n"
	)
	rights, tagging, err := promoting(file(t, "env: dev\naccount_id: \"111111111111\"\n"+shared),
		file(t, "env: prod\naccount_id: \"333333333333\"\n"+shared), "")
	must(t, err)
	want := []statement{{Sid: "TagImages", Action: []string{"ecr:BatchGetImage", "ecr:PutImage"},
		Resource: "arn:aws:ecr:us-east-1:111111111111:repository/shop"}}
	if diff := cmp.Diff(want, rights); diff != "" || !tagging {
		t.Errorf("tagging %t, rights (-want +got):\n%s", tagging, diff)
	}
}

func TestPromotionErrors(t *testing.T) {
	t.Parallel()
	const (
		dev  = "env: dev\nregion: us-east-1\naccount_id: \"111111111111\"\n"
		prod = "env: prod\nregion: us-east-1\naccount_id: \"333333333333\"\n"
	)
	for _, tt := range []struct{ name, from, to, want string }{
		{"the target's account is not known", prod, "env: dev\nregion: us-east-1\n",
			"x.yaml does not name the account of the environment, which is part of the ARN of its event bus (add " +
				"account_id to the file, or use --account)"},
		{"the source's account is not known", "env: dev\nregion: us-east-1\n", prod,
			"x.yaml does not name the account of its registry, which is part of the ARN of a repository (add " +
				"account_id to the file, or use --from-account)"},
		{"nothing is in both", dev + "workload: {backend_external_docker_image: 'nginx:1.29'}\n" +
			"scheduled_tasks: [{name: report}]\n", prod + "scheduled_tasks: [{name: other}]\n",
			"x.yaml and x.yaml have no service and no task in common that runs an image from ECR"},
	} {
		_, err := Promotion(file(t, tt.from), file(t, tt.to))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}
