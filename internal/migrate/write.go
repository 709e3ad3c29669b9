package migrate

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Read returns the content of an environment file that can be migrated in place, and
// the path to write, which differs from path for a symbolic link. It returns an error
// for a link out of its directory, and for a file that is not regular.
func Read(path string) (target string, data []byte, err error) {
	target, err = filepath.EvalSymlinks(path)
	if err != nil {
		return "", nil, fmt.Errorf("reading %q: %w", path, err)
	}
	inside, err := isInside(filepath.Dir(path), target)
	if err != nil {
		return "", nil, fmt.Errorf("reading %q: %w", path, err)
	}
	if !inside {
		return "", nil, fmt.Errorf("%s is a symbolic link to %s, outside its directory (migrate that file itself)",
			path, target)
	}
	info, err := os.Stat(target)
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("reading %q: %w", path, err)
	case !info.Mode().IsRegular():
		return "", nil, fmt.Errorf("%s is not a file", path)
	}
	file, err := os.Open(target)
	if err != nil {
		return "", nil, fmt.Errorf("reading %q: %w", path, err)
	}
	defer file.Close()
	data, err = io.ReadAll(io.LimitReader(file, maxSize+1)) // Plan rejects a file with one byte more
	return target, data, err
}

// isInside reports whether a file is in a directory or below it. The directory's path
// may contain links.
func isInside(dir, file string) (bool, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false, err
	}
	if dir, err = filepath.Abs(dir); err != nil { // one of the two may be relative
		return false, err
	}
	if file, err = filepath.Abs(file); err != nil {
		return false, err
	}
	rel, err := filepath.Rel(dir, file)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)), err
}

// Write replaces a file's content atomically, and keeps its mode and owner. A read-only
// file is an error.
func Write(path string, data []byte) (err error) {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o200 == 0 {
		return fmt.Errorf("%s is read-only (allow it to be written: chmod u+w %s)", path, path)
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	defer func() {
		if err != nil {
			os.Remove(temporary.Name())
			err = fmt.Errorf("writing %q: %w", path, err)
		}
	}()
	_, writeErr := temporary.Write(data)
	chmodErr := temporary.Chmod(info.Mode())
	chownErr := keepOwner(temporary, info)
	syncErr := temporary.Sync()
	if err := errors.Join(writeErr, chmodErr, chownErr, syncErr, temporary.Close()); err != nil {
		return err
	}
	// atomic on Unix; on Windows MoveFileEx, which replaces the file in one call
	return os.Rename(temporary.Name(), path)
}

// All returns the YAML files of a directory, or of its subdirectory project if it has
// one. It leaves out backups.
func All(dir string) ([]string, error) {
	if info, err := os.Stat(filepath.Join(dir, "project")); err == nil && info.IsDir() {
		dir = filepath.Join(dir, "project")
	}
	return Files(dir)
}

// Files returns the YAML files of a directory. It leaves out backups and hidden files.
func Files(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("listing environment files: %w", err)
	}
	var files []string
	for _, e := range entries {
		name := e.Name()
		if extension := filepath.Ext(name); !e.IsDir() && (extension == ".yaml" || extension == ".yml") &&
			!strings.Contains(name, ".backup") && !strings.HasPrefix(name, ".") {
			files = append(files, filepath.Join(dir, name))
		}
	}
	return files, nil
}
