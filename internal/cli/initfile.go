package cli

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"deployer/internal/shell"
)

// file returns the name of the file to write.
func (how initFlags) file(answers map[string]string) string {
	return cmp.Or(how.output, filepath.Join(projectDir, answers["env"]+extensions[0]))
}

// notThere returns an error if a file exists.
func notThere(file string) error {
	if _, err := os.Lstat(file); err != nil {
		return nil // what is wrong with it is found when it is written
	}
	return hinted("deployer validate "+shell.Quote(file), "%s exists, and is not overwritten", file)
}

// create writes a file that does not exist, with its directory.
func create(file, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return notWritten(file, err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return notThere(file)
	}
	if err != nil {
		return notWritten(file, err)
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
