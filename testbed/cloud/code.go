package cloud

import (
	"archive/zip"
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
)

// Code returns the zip of a function's code as `make package` makes it, with an empty bootstrap: files by name.
func Code(files map[string][]byte) ([]byte, error) {
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := archive.Create(name)
		if err != nil {
			return nil, fmt.Errorf("packing the function: %w", err)
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, fmt.Errorf("packing the function: %w", err)
		}
	}
	err := archive.Close()
	return b.Bytes(), err
}

// codeWith returns the code of a function with an environment file.
func codeWith(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("packing the function: %w", err)
	}
	return Code(map[string][]byte{"bootstrap": nil, "environment.yaml": text})
}
