package doctor

import (
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"deployer/internal/environment"
	"deployer/testbed/aws/emulator"
)

// damage changes an environment without problems in one way.
type damage struct {
	name   string
	env    string // "dev" if ""
	key    string // the caller's access key id; the administrator's if ""
	change func(*environment.Environment)
	damage func(t *testing.T, x *fixture)
}

// deny returns a damage by which AWS denies every call of an operation.
func deny(operations ...string) func(t *testing.T, x *fixture) {
	return func(t *testing.T, x *fixture) {
		for _, operation := range operations {
			x.aws.Inject(emulator.Fault{Operation: operation,
				Error: emulator.AccessDenied("User: u is not authorized to perform: " + operation)})
		}
	}
}

// TestFaults damages an environment without problems in one way each, and checks that
// the doctor finds exactly that. UPDATE_GOLDEN=1 rewrites the golden file.
func TestFaults(t *testing.T) {
	t.Parallel()
	tests := slices.Concat(serviceFaults, repositoryFaults, imageFaults, stackFaults)
	const golden = "testdata/faults.txtar"
	want, got := map[string]string{}, make([]string, len(tests))
	if archive, err := txtar.ParseFile(golden); err == nil {
		for _, f := range archive.Files {
			want[f.Name] = string(f.Data)
		}
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		t.Cleanup(func() {
			archive := &txtar.Archive{Comment: []byte("What the doctor finds in an environment with one problem.\n")}
			for i, tt := range tests {
				archive.Files = append(archive.Files, txtar.File{Name: tt.name, Data: []byte(got[i])})
			}
			must(t, os.WriteFile(golden, txtar.Format(archive), 0o644))
		})
	}
	undamaged := newFixture(t) // is only read
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := undamaged
			if tt.damage != nil {
				x = newFixture(t)
			}
			if tt.env == "" {
				tt.env = "dev"
			}
			env := load(t, tt.env)
			if tt.change != nil {
				tt.change(env)
			}
			if tt.damage != nil {
				tt.damage(t, x)
			}
			for _, line := range x.examine(t, env, tt.key).lines(OK) {
				got[i] += line + "\n"
			}
			if diff := cmp.Diff(want[tt.name], got[i]); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
