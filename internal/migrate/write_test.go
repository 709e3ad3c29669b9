//go:build unix

package migrate

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestReadAndWrite(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "dev.yaml")
	must(t, os.WriteFile(file, []byte("env: dev\n"), 0o640))
	must(t, os.Chmod(file, 0o640))
	owner := os.Geteuid()
	if owner == 0 { // only root can change the owner
		owner = 12345
		must(t, os.Chown(file, owner, owner))
	}
	must(t, os.Symlink("dev.yaml", filepath.Join(dir, "link.yaml")))
	must(t, os.WriteFile(filepath.Join(outside, "prod.yaml"), []byte("env: prod\n"), 0o644))
	must(t, os.Symlink(filepath.Join(outside, "prod.yaml"), filepath.Join(dir, "away.yaml")))
	must(t, os.WriteFile(filepath.Join(dir, "locked.yaml"), []byte("env: qa\n"), 0o444))

	target, data, err := Read(filepath.Join(dir, "link.yaml"))
	if err != nil || filepath.Base(target) != "dev.yaml" || string(data) != "env: dev\n" {
		t.Fatalf("%s %q %v", target, data, err)
	}
	must(t, Write(target, []byte("env: dev\nnew: 1\n")))
	info, err := os.Lstat(file)
	must(t, err)
	if got, _ := os.ReadFile(file); string(got) != "env: dev\nnew: 1\n" || info.Mode().Perm() != 0o640 ||
		int(info.Sys().(*syscall.Stat_t).Uid) != owner {
		t.Errorf("%q with mode %v and owner %v", got, info.Mode(), info.Sys())
	}
	if link, err := os.Readlink(filepath.Join(dir, "link.yaml")); err != nil || link != "dev.yaml" {
		t.Errorf("the link is %q, %v", link, err)
	}
	for name, want := range map[string]string{"away.yaml": "outside its directory (migrate that file itself)",
		"none.yaml": "no such file"} {
		if _, _, err := Read(filepath.Join(dir, name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	locked := filepath.Join(dir, "locked.yaml")
	if _, data, err := Read(locked); err != nil || string(data) != "env: qa\n" {
		t.Errorf("a read-only file: %q, %v", data, err)
	}
	want := locked + " is read-only (allow it to be written: chmod u+w " + locked + ")"
	if err := Write(locked, nil); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if _, _, err := Read(dir); err == nil {
		t.Error("a directory was read")
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
