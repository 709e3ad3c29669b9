package pipeline

import (
	"strings"
	"testing"
	"time"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
)

// TestImagesByHand deploys workloads whose image the file names: one of ECR from its
// own repository, one from outside ECR not at all.
func TestImagesByHand(t *testing.T) {
	t.Parallel()
	const repository = "111111111111.dkr.ecr.us-east-1.amazonaws.com/shop/main"
	const refused = `its image "nginx:1.29" is not in ECR`
	for _, tt := range []struct {
		name, image, detail string
		status              ecsdeploy.Status
		want                string // part of the image or the reason
	}{
		{"ECR", repository, `{"service":"backend","tag":"v7"}`, ecsdeploy.Deployed, repository + "@sha256:"},
		{"outside ECR", "nginx:1.29", `{"service":"backend","tag":"v7"}`, ecsdeploy.Rejected, refused},
		{"a rollback outside ECR", "nginx:1.29", `{"service":"backend","action":"rollback"}`, ecsdeploy.Rejected,
			refused},
		{"a redeployment outside ECR", "nginx:1.29", `{"service":"backend","action":"redeploy"}`, ecsdeploy.Rejected,
			refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "dev")
			if _, err := f.accounts["dev"].Push(t.Context(), "shop/main", "v7", "v7"); err != nil {
				t.Fatal(err)
			}
			var err error
			f.env, err = environment.Parse("dev.yaml", []byte("project: myproject\nenv: dev\nregion: us-east-1\n"+
				"account_id: \"111111111111\"\nworkload: {backend_external_docker_image: '"+tt.image+"'}\n"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.function().Handle(t.Context(), deployEvent("e1", start.Add(time.Hour), "dev", tt.detail))
			if err != nil || len(got.Deployments) != 1 {
				t.Fatalf("%+v, %v", got, err)
			}
			if d := got.Deployments[0]; d.Status != tt.status || !strings.Contains(d.Image+d.Reason, tt.want) {
				t.Errorf("got %s of %q: %s; want %s with %q", d.Status, d.Image, d.Reason, tt.status, tt.want)
			}
		})
	}
}
