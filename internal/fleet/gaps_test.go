package fleet

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/journal"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
)

// TestGaps checks by how many images an environment is behind the one before it.
func TestGaps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, accounts.Dev, accounts.Staging, accounts.Prod)
		digests := map[string]string{}
		for i := 1; i <= 5; i++ {
			name := fmt.Sprint("i", i)
			digest, err := w.accounts[0].Push(t.Context(), "p_service_s0", name, name)
			must(t, err)
			// A signature is no image that could run.
			_, err = w.accounts[0].Push(t.Context(), "p_service_s0", "signature of "+name, "sha256-"+digest[7:]+".sig")
			must(t, err)
			digests[name] = digest
			time.Sleep(time.Minute)
		}
		r := New(w.sources...)
		r.Read(t.Context())
		host := accounts.Dev + ".dkr.ecr.us-east-1.amazonaws.com/p_service_s0"
		by := func(name string) *journal.Record {
			return &journal.Record{Digest: digests[name], Image: host + "@" + digests[name]}
		}
		unknown := &journal.Record{Image: host + "@sha256:00", Digest: "sha256:00"}
		tagged := func(tag string) *journal.Record { return &journal.Record{Tag: tag, Image: host + ":" + tag} }
		outside := &journal.Record{Image: "nginx:1", Tag: "1"}
		const noLonger = "runs another image than dev (ECR no longer has both images under a tag)"
		for _, tt := range []struct {
			name               string
			dev, staging, prod *journal.Record
			want               []string
		}{
			{"all alike", by("i3"), by("i3"), by("i3"), nil},
			{"each behind", by("i5"), by("i4"), by("i1"), []string{"staging is 1 image behind dev",
				"prod is 3 images behind staging"}},
			{"a hotfix", by("i3"), by("i3"), by("i4"), []string{"prod is 1 image ahead of staging"}},
			{"not in staging", by("i3"), nil, by("i1"), []string{"prod is 2 images behind dev"}},
			{"only in prod", nil, nil, by("i1"), nil},
			{"deleted", by("i3"), unknown, unknown, []string{"staging " + noLonger}},
			{"by tag", tagged("i3"), tagged("i3"), tagged("i1"), []string{"prod is 2 images behind staging"}},
			{"by tag and by digest", by("i3"), tagged("i3"), by("i2"), []string{"prod is 1 image behind staging"}},
			{"outside ECR", outside, by("i1"), nil, []string{"staging runs another image than dev (the image is not " +
				"from the repository that the file names)"}},
		} {
			f := &Fleet{}
			for i, record := range []*journal.Record{tt.dev, tt.staging, tt.prod} {
				e := Environment{Name: []string{"dev", "staging", "prod"}[i]}
				if record != nil {
					e.Services = []Service{{Name: "s0", Running: record}}
				}
				f.Environments = append(f.Environments, e)
			}
			// The registry of all is dev's.
			for i := range r.places {
				r.places[i].Env.Workloads[0].Registry = r.places[0].Env.Workloads[0].Registry
			}
			var got []string
			for _, g := range r.gaps(t.Context(), f) {
				got = append(got, g.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s: %s", tt.name, diff)
			}
		}
		time.Sleep(time.Minute)
		w.ClearFaults()
		w.Inject(emulator.Fault{Operation: "ecr:DescribeImages", Error: emulator.AccessDenied("no")})
		f := &Fleet{Environments: []Environment{{Name: "dev", Services: []Service{{Name: "s0", Running: by("i2")}}},
			{Name: "prod", Services: []Service{{Name: "s0", Running: by("i1")}}}}}
		gaps := r.gaps(t.Context(), f)
		want := []Gap{{"s0", "prod", "dev", 0, "these credentials may not list the images: ecr:DescribeImages"}}
		if diff := cmp.Diff(want, gaps); diff != "" {
			t.Errorf("denied: %s", diff)
		}
	})
}
