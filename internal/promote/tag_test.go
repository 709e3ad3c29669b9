package promote

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
)

// TestTags: a tag on another image is refused, unless the order forces it and the
// repository allows it.
func TestTags(t *testing.T) {
	t.Parallel()
	const place = `ECR repository "myproject_backend" of account 333333333333 in us-east-1`
	for _, tt := range []struct {
		name             string
		force, immutable bool
		blind            bool   // the repository cannot be described
		want             string // the error, with DIGEST and OLD
		wantCopied       bool
	}{
		{name: "refused", want: `tag "old" in ` + place + " is on OLD, not on DIGEST"},
		{name: "refused, immutable", immutable: true,
			want: `tag "old" in ` + place + " is immutable and on another image than DIGEST"},
		{name: "refused, which may be immutable", immutable: true, blind: true,
			want: `tag "old" in ` + place + " is on OLD, not on DIGEST"},
		{name: "forced", force: true, wantCopied: true},
		{name: "forced, immutable", force: true, immutable: true,
			want: `tag "old" in ` + place + " is immutable and on another image than DIGEST"},
		{name: "forced, immutable, which is not known", force: true, immutable: true, blind: true, wantCopied: true,
			want: `tag "old" in ` + place + " is immutable and on another image than DIGEST"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			mutability := types.ImageTagMutabilityMutable
			if tt.immutable {
				mutability = types.ImageTagMutabilityImmutable
			}
			w, digest := newTwoWith(t, mutability)
			if tt.blind {
				w.aws.Inject(emulator.Fault{Operation: "ecr:DescribeRepositories", Error: emulator.AccessDenied("no")})
			}
			old := ""
			for d, i := range w.images(t, w.prod) {
				if slices.Contains(i.Tags, "old") {
					old = d
				}
			}
			o := w.order(digest)
			o.Tag, o.Force = "old", tt.force
			_, err := promote(t.Context(), o)
			got := ""
			if err != nil {
				got = err.Error()
			}
			var taken *TagTakenError
			if tt.want != "" && !errors.As(err, &taken) {
				t.Errorf("the error is a %T", err)
			}
			want := strings.NewReplacer("DIGEST", digest, "OLD", old).Replace(tt.want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the error (-want +got):\n%s", diff)
			}
			if _, copied := w.images(t, w.prod)[digest]; copied != tt.wantCopied {
				t.Errorf("copied: %v", copied)
			}
		})
	}
}

// TestImmutableTag tests the settings of a repository.
func TestImmutableTag(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		mutability types.ImageTagMutability
		filter     string
		want       bool
	}{
		{"", "", false}, {"MUTABLE", "", false}, {"IMMUTABLE", "", true},
		{"IMMUTABLE_WITH_EXCLUSION", "env-*", false}, {"IMMUTABLE_WITH_EXCLUSION", "latest", true},
		{"MUTABLE_WITH_EXCLUSION", "env-*", true}, {"MUTABLE_WITH_EXCLUSION", "*prod", false},
		{"MUTABLE_WITH_EXCLUSION", "*prod*", true},
	} {
		r := types.Repository{ImageTagMutability: tt.mutability,
			ImageTagMutabilityExclusionFilters: []types.ImageTagMutabilityExclusionFilter{{Filter: &tt.filter}}}
		if got := immutableTag(r, "env-prod-20260122"); got != tt.want {
			t.Errorf("%s, %q: %v", tt.mutability, tt.filter, got)
		}
	}
}

// TestExcluding tests the filters that make one more tag mutable.
func TestExcluding(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		mutability types.ImageTagMutability
		filters    []string
		want       []string
	}{
		{"IMMUTABLE", nil, []string{"v1"}},
		{"IMMUTABLE_WITH_EXCLUSION", []string{"latest", "env-*"}, []string{"latest", "env-*", "v1"}},
		{"IMMUTABLE_WITH_EXCLUSION", []string{"a", "b", "c", "d", "e"}, nil}, // ECR accepts five
		{"MUTABLE_WITH_EXCLUSION", []string{"v*"}, nil},                      // it would be all of v*
	} {
		r := types.Repository{ImageTagMutability: tt.mutability}
		for i := range tt.filters {
			r.ImageTagMutabilityExclusionFilters = append(r.ImageTagMutabilityExclusionFilters,
				types.ImageTagMutabilityExclusionFilter{Filter: &tt.filters[i]})
		}
		if diff := cmp.Diff(tt.want, excluding(r, "v1")); diff != "" {
			t.Errorf("%s, %v:\n%s", tt.mutability, tt.filters, diff)
		}
	}
}

// TestTagTakenMeanwhile: a tag that is put on another image during the copy is not moved, unless the order forces it.
func TestTagTakenMeanwhile(t *testing.T) {
	t.Parallel()
	for _, force := range []bool{false, true} {
		w, digest := newTwo(t)
		o := w.order(digest)
		o.Force = force
		plan, err := o.Plan(t.Context())
		must(t, err)
		other, err := w.prod.PushLayered(t.Context(), name, accounts.Layered{Layers: []string{"meanwhile"}}, "v1")
		must(t, err)
		err = plan.Run(t.Context(), nil)
		want := map[bool]string{false: other, true: digest}[force]
		if !slices.Contains(w.images(t, w.prod)[want].Tags, "v1") {
			t.Errorf("force %t: v1 is not on %s", force, want)
		}
		var taken *TagTakenError
		switch {
		case force:
			must(t, err)
		case !errors.As(err, &taken) || taken.Has != other || taken.Wanted != digest:
			t.Errorf("the error is %v", err)
		}
	}
}
