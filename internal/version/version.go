// Package version reports which build of the deployer is running.
package version

import (
	"runtime/debug"
	"strings"
)

// release is the version that a release build sets with
// -ldflags "-X deployer/internal/version.release=v1.2.3".
var release string

// String returns the version of the running binary: the release's, else the
// module's (as `go install` records it), else "devel". The commit follows where
// the Go toolchain recorded it, with "-dirty" if the work tree had changes.
func String() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return describe(release, info)
}

// describe is String for a given build.
func describe(release string, info *debug.BuildInfo) string {
	version := release
	if version == "" {
		version = info.Main.Version
	}
	if version == "" || version == "(devel)" {
		version = "devel"
	}
	commit, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	if commit == "" {
		return version
	}
	return strings.TrimSpace(version + " " + commit + dirty)
}
