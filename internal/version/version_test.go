package version

import (
	"runtime/debug"
	"testing"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	const commit = "0123456789abcdef0123456789abcdef01234567"
	vcs := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{
			{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: commit}, {Key: "vcs.modified", Value: modified},
		}
	}
	for _, tt := range []struct {
		name, release, module string
		settings              []debug.BuildSetting
		want                  string
	}{
		{"release", "v1.2.3", "(devel)", vcs("false"), "v1.2.3 " + commit},
		{"release without version control", "v1.2.3", "", nil, "v1.2.3"},
		{"installed", "", "v1.2.3", nil, "v1.2.3"},
		{"work tree", "", "(devel)", vcs("false"), "devel " + commit},
		{"work tree with changes", "", "(devel)", vcs("true"), "devel " + commit + "-dirty"},
		{"test binary", "", "", nil, "devel"},
	} {
		info := &debug.BuildInfo{Main: debug.Module{Version: tt.module}, Settings: tt.settings}
		if got := describe(tt.release, info); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
