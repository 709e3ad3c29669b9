package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// write makes a directory of builds whose files have the given permissions.
func write(t *testing.T, mode os.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"common/README.md": "read me", "common/completions/deployer.bash": "complete",
		"linux_amd64/deployer": "a program", "windows_arm64/deployer.exe": "a program",
		"function_arm64/bootstrap": "a function",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestPack packs the same builds twice, from files with other times and
// permissions, and compares the bytes.
func TestPack(t *testing.T) {
	t.Parallel()
	commit := time.Date(2026, 1, 22, 10, 15, 31, 0, time.UTC)
	first, second := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	if err := pack(write(t, 0o644), first, "0.1.0", commit); err != nil {
		t.Fatal(err)
	}
	builds := write(t, 0o700)
	if err := os.Chtimes(filepath.Join(builds, "linux_amd64", "deployer"), time.Unix(0, 0),
		time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	if err := pack(builds, second, "0.1.0", commit); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"SHA256SUMS", "deployer-function_0.1.0_arm64.zip", "deployer_0.1.0_linux_amd64.tar.gz",
		"deployer_0.1.0_windows_arm64.zip",
	}
	entries, err := os.ReadDir(first)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
		a, errA := os.ReadFile(filepath.Join(first, e.Name()))
		b, errB := os.ReadFile(filepath.Join(second, e.Name()))
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%s differs between two builds: %v, %v", e.Name(), errA, errB)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the release has %v, want %v", got, want)
	}
	sums, err := os.ReadFile(filepath.Join(first, "SHA256SUMS"))
	if err != nil || strings.Count(string(sums), "\n") != 3 {
		t.Errorf("SHA256SUMS is %q, %v", sums, err)
	}
}

// TestFunctionZip checks that Lambda can start what the function's zip holds:
// an executable bootstrap at the top.
func TestFunctionZip(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	if err := pack(write(t, 0o600), out, "0.1.0", time.Unix(1_000_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	archive, err := zip.OpenReader(filepath.Join(out, "deployer-function_0.1.0_arm64.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	if len(archive.File) != 1 || archive.File[0].Name != "bootstrap" || archive.File[0].Mode() != 0o755 {
		t.Errorf("the zip has %d files, first %q with mode %v", len(archive.File), archive.File[0].Name,
			archive.File[0].Mode())
	}
}

func TestPackRefuses(t *testing.T) {
	t.Parallel()
	builds := write(t, 0o644)
	if err := os.Rename(filepath.Join(builds, "linux_amd64"), filepath.Join(builds, "linux")); err != nil {
		t.Fatal(err)
	}
	want := `packing "linux": the directory is not called SYSTEM_ARCHITECTURE or function_ARCHITECTURE`
	if err := pack(builds, filepath.Join(t.TempDir(), "out"), "0.1.0", time.Unix(0, 0)); err == nil ||
		err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
