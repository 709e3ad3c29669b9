package ecsservice_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestTaskDigests reads what the tasks of a service run, after its tag was moved.
func TestTaskDigests(t *testing.T) {
	t.Parallel()
	_, url := emulatortest.Start(t, emulator.Options{RolloutStep: time.Nanosecond})
	dev := accounts.Connect(url, accounts.Dev, accounts.Region)
	if err := dev.Cluster(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	first, err := dev.Push(t.Context(), "web", "v1", "latest")
	if err != nil {
		t.Fatal(err)
	}
	reference := accounts.Dev + ".dkr.ecr." + accounts.Region + ".amazonaws.com/web:latest"
	if _, err := dev.Service(t.Context(), "c", "web", reference); err != nil {
		t.Fatal(err)
	}
	describe := func() {
		t.Helper()
		_, err := dev.ECS.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("c"),
			Services: []string{"web"}})
		if err != nil {
			t.Fatal(err)
		}
	}
	describe()
	if _, err := dev.Push(t.Context(), "web", "v2", "latest"); err != nil {
		t.Fatal(err)
	}
	target := ecsservice.Target{Cluster: "c", Service: "web"}
	for _, tt := range []struct {
		name, reference string
		want            []string
	}{
		{"what they pulled", reference, []string{first}},
		{"another reference", reference + "2", nil},
	} {
		got, err := ecsservice.New(dev.Config).TaskDigests(t.Context(), target, tt.reference)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", tt.name, err, diff)
		}
	}
	if _, err := ecsservice.New(dev.As("powerless").Config).TaskDigests(t.Context(), target, reference); err == nil {
		t.Error("without permission there is no error")
	}
}
