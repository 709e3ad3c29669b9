// Awsschema writes the schemas of the resources that a Terraform module uses, from the npm package
// @cdktn/provider-aws, whose classes are generated from the provider's schemas. The format is that of
// `terraform providers schema -json`; descriptions and sensitivity are left out. scripts/terraform-schema runs it.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	bindings := flag.String("package", "", "the directory of the unpacked npm `package`")
	module := flag.String("module", "", "the `directory` of the Terraform module")
	flag.Parse()
	text, err := generate(*bindings, *module)
	if err != nil {
		fmt.Fprintln(os.Stderr, "awsschema:", err)
		os.Exit(1)
	}
	fmt.Printf("%s\n", text)
}

// output is the file of schemas.
type output struct {
	FormatVersion string              `json:"format_version"`
	Version       string              `json:"provider_version"`
	Providers     map[string]provider `json:"provider_schemas"`
}

type provider struct {
	Provider    schema            `json:"provider"`
	Resources   map[string]schema `json:"resource_schemas"`
	DataSources map[string]schema `json:"data_source_schemas"`
}

type schema struct {
	Version int    `json:"version"`
	Block   *block `json:"block"`
}

func generate(bindings, module string) ([]byte, error) {
	var manifest struct {
		CDKTN struct {
			Provider struct{ Name, Version string }
		}
	}
	text, err := os.ReadFile(filepath.Join(bindings, "package.json"))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, fmt.Errorf("reading package.json: %w", err)
	}
	resources, sources, err := used(module)
	if err != nil {
		return nil, err
	}
	p := provider{Resources: map[string]schema{}, DataSources: map[string]schema{}}
	if p.Provider, err = read(bindings, "provider"); err != nil {
		return nil, err
	}
	for _, name := range resources {
		if p.Resources[name], err = read(bindings, strings.TrimPrefix(name, "aws_")); err != nil {
			return nil, err
		}
	}
	for _, name := range sources {
		if p.DataSources[name], err = read(bindings, "data_"+name); err != nil {
			return nil, err
		}
	}
	version := manifest.CDKTN.Provider.Version
	return json.MarshalIndent(output{"1.0", version, map[string]provider{manifest.CDKTN.Provider.Name: p}}, "", " ")
}

var declaration = regexp.MustCompile(`(?m)^(resource|data) "(aws_\w+)"`)

// used returns the types of the resources and data sources in the files below a directory.
func used(module string) (resources, sources []string, err error) {
	err = filepath.WalkDir(module, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".tf" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range declaration.FindAllStringSubmatch(string(text), -1) {
			list := &resources
			if m[1] == "data" {
				list = &sources
			}
			if !slices.Contains(*list, m[2]) {
				*list = append(*list, m[2])
			}
		}
		return err
	})
	return resources, sources, err
}
