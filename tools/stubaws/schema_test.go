package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

var declaration = regexp.MustCompile(`(?m)^(resource|data) "(\w+)"`)

// TestSchemas checks that the stub knows each resource and data source of the module and its examples.
func TestSchemas(t *testing.T) {
	t.Parallel()
	p, err := readSchemas()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, pattern := range []string{"*.tf", "examples/*/*.tf"} {
		files, err := filepath.Glob(filepath.Join("../../deploy/terraform", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files %s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range declaration.FindAllStringSubmatch(string(text), -1) {
				known := p.Resources
				if m[1] == "data" {
					known = p.DataSources
				}
				if _, ok := known[m[2]]; !ok {
					t.Errorf("%s: there is no schema of %s %s: run scripts/terraform-schema", file, m[1], m[2])
				}
				found++
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d resources were found", found)
	}
}
