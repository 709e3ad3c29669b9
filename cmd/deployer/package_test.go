package main

import (
	"archive/zip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestPackage makes the release and holds its size, which is a part of every
// cold start, and what is in the zip.
func TestPackage(t *testing.T) {
	t.Parallel()
	const mostBootstrap, mostZip = 12_500_000, 4_600_000
	dist := t.TempDir()
	make := exec.Command("make", "-C", "../..", "package", "dist="+dist, "file=examples/centralized-dev-ecr/prod.yaml")
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("make package: %v\n%s", err, out)
	}
	size := func(name string) int64 {
		info, err := os.Stat(filepath.Join(dist, name))
		must(t, err)
		return info.Size()
	}
	t.Logf("bootstrap %d bytes, zip %d bytes", size("bootstrap"), size("deployer.zip"))
	if size("bootstrap") > mostBootstrap || size("deployer.zip") > mostZip {
		t.Errorf("bootstrap %d bytes (at most %d), zip %d bytes (at most %d)", size("bootstrap"), mostBootstrap, size("deployer.zip"), mostZip)
	}
	archive, err := zip.OpenReader(filepath.Join(dist, "deployer.zip"))
	must(t, err)
	defer archive.Close()
	want, err := os.ReadFile("../../examples/centralized-dev-ecr/prod.yaml")
	must(t, err)
	for _, f := range archive.File {
		switch f.Name {
		case "bootstrap":
			if f.Mode().Perm()&0o111 != 0o111 {
				t.Errorf("the bootstrap's mode is %v", f.Mode())
			}
		case "environment.yaml":
			r, err := f.Open()
			must(t, err)
			if got, err := io.ReadAll(r); err != nil || string(got) != string(want) {
				t.Errorf("environment.yaml is %q, %v", got, err)
			}
		default:
			t.Errorf("the zip has %s", f.Name)
		}
	}
	if len(archive.File) != 2 {
		t.Errorf("the zip has %d files, want 2", len(archive.File))
	}
}
