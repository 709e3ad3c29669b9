// Command dist packs what a release consists of. Its input is a directory of
// builds, one subdirectory each:
//
//	linux_amd64, darwin_arm64, windows_amd64, …  the command line of a platform
//	function_arm64, function_amd64               the Lambda function's bootstrap
//	common                                       files that go into every archive of the command line
//
// Archives depend on the files' names and bytes, the version and the time only,
// so two builds of one commit are equal byte for byte.
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	builds := flag.String("builds", "", "`directory` of the builds")
	out := flag.String("out", "", "`directory` for the archives; it is emptied first")
	version := flag.String("version", "", "the release's `version`, such as v0.1.0")
	seconds := flag.Int64("time", 0, "modification time of all files, in `seconds` since 1970")
	flag.Parse()
	if err := pack(*builds, *out, strings.TrimPrefix(*version, "v"), time.Unix(*seconds, 0).UTC()); err != nil {
		fmt.Fprintf(os.Stderr, "dist: error: %v\n", err)
		os.Exit(1)
	}
}

// file is one member of an archive.
type file struct {
	name       string // with slashes
	data       []byte
	executable bool
}

// pack writes an archive for each build, and SHA256SUMS.
func pack(builds, out, version string, modified time.Time) error {
	if builds == "" || out == "" || version == "" {
		return fmt.Errorf("-builds, -out and -version are required")
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(builds)
	if err != nil {
		return err
	}
	common, err := read(filepath.Join(builds, "common"))
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, e := range entries {
		if e.Name() == "common" {
			continue
		}
		files, err := read(filepath.Join(builds, e.Name()))
		if err != nil {
			return err
		}
		name, archive, err := archiveOf(e.Name(), version, files, common, modified)
		if err != nil {
			return fmt.Errorf("packing %q: %w", e.Name(), err)
		}
		if err := os.WriteFile(filepath.Join(out, name), archive, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(archive), name)
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// archiveOf returns the name and the bytes of a build's archive.
func archiveOf(build, version string, files, common []file, modified time.Time) (string, []byte, error) {
	system, arch, ok := strings.Cut(build, "_")
	if !ok {
		return "", nil, fmt.Errorf("the directory is not called SYSTEM_ARCHITECTURE or function_ARCHITECTURE")
	}
	if system == "function" {
		archive, err := zipOf(files, modified)
		return fmt.Sprintf("deployer-function_%s_%s.zip", version, arch), archive, err
	}
	name := fmt.Sprintf("deployer_%s_%s_%s", version, system, arch)
	// The members are at the top: action/install and pipelines extract the program by its name.
	files = slices.Concat(files, common)
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	if system == "windows" {
		archive, err := zipOf(files, modified)
		return name + ".zip", archive, err
	}
	archive, err := tarOf(files, modified)
	return name + ".tar.gz", archive, err
}

// read returns a directory's files, in the order of their names. The programs
// among them are executable, whatever the umask of the build was.
func read(dir string) ([]file, error) {
	var files []file
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files = append(files, file{filepath.ToSlash(name), data, slices.Contains(programs, d.Name())})
		return nil
	})
	return files, err
}

var programs = []string{"bootstrap", "deployer", "deployer.exe"}
