package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

type block struct {
	Attributes map[string]attribute   `json:"attributes,omitempty"`
	Blocks     map[string]nestedBlock `json:"block_types,omitempty"`
}

type attribute struct {
	Type     any  `json:"type"`
	Required bool `json:"required,omitempty"`
	Optional bool `json:"optional,omitempty"`
	Computed bool `json:"computed,omitempty"`
}

type nestedBlock struct {
	Nesting  string `json:"nesting_mode"`
	Block    *block `json:"block"`
	MinItems int    `json:"min_items,omitempty"`
	MaxItems int    `json:"max_items,omitempty"`
}

// The parts of the generated TypeScript: a class, and in it the comment of a member with what follows it.
var (
	classes = regexp.MustCompile(`(?m)^export class (\w+) extends cdktn\.(\w+) \{`)
	members = regexp.MustCompile(`// (\w+) - computed: (\w+), optional: (\w+), required: (\w+)\n((?:[^}/]|/[^/])*)`)
	getter  = regexp.MustCompile(`this\.get(\w+)Attribute\('`)
	nested  = regexp.MustCompile(`= new (\w+)\(this, "\w+"(?:, (true|false))?\)`)
	// How a member is written as HCL: whether it is a block, and its types.
	written = regexp.MustCompile(`(?s)\b(\w+): \{\s+value: [^\n]*\n\s+isBlock: (\w+),\s+type: "(\w+)",\s+` +
		`storageClassType: "(\w+)"`)
)

// read returns the schema of the resource in a directory of the package.
func read(bindings, name string) (schema, error) {
	source, err := typescript(filepath.Join(bindings, "lib", strings.ReplaceAll(name, "_", "-"), "index.js"))
	if err != nil {
		return schema{}, fmt.Errorf("reading the schema of %s: %w", name, err)
	}
	all := map[string]string{} // the text of each class
	main := ""
	places := classes.FindAllStringSubmatchIndex(source, -1)
	for i, place := range places {
		end := len(source)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		class, base := source[place[2]:place[3]], source[place[4]:place[5]]
		all[class] = source[place[0]:end]
		if base == "TerraformResource" || base == "TerraformDataSource" || base == "TerraformProvider" {
			main = class
		}
	}
	if main == "" {
		return schema{}, fmt.Errorf("reading the schema of %s: the package has no class of it", name)
	}
	b, err := blockOf(source, all, main)
	return schema{Block: b}, err
}

// typescript returns the source that the map at the end of a compiled file has.
func typescript(file string) (string, error) {
	compiled, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	_, encoded, ok := strings.Cut(string(compiled), "//# sourceMappingURL=data:application/json;base64,")
	if !ok {
		return "", fmt.Errorf("%s has no source map", file)
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", err
	}
	var mapping struct{ SourcesContent []string }
	if err := json.Unmarshal(text, &mapping); err != nil || len(mapping.SourcesContent) != 1 {
		return "", fmt.Errorf("the source map of %s has not one source: %v", file, err)
	}
	return mapping.SourcesContent[0], nil
}

// form is how a member is written as HCL.
type form struct {
	isBlock       bool
	kind, storage string // "list" and "stringList"
}

// forms returns how the members of a class are written: in a method of the resource, in a function for a part of it.
func forms(source string, all map[string]string, class string) map[string]form {
	text := all[class]
	if base, ok := strings.CutSuffix(class, "OutputReference"); ok {
		_, text, _ = strings.Cut(source, "export function "+strings.ToLower(base[:1])+base[1:]+"ToHclTerraform(")
		text, _, _ = strings.Cut(text, "// remove undefined attributes")
	}
	found := map[string]form{}
	for _, m := range written.FindAllStringSubmatch(text, -1) {
		found[m[1]] = form{m[2] == "true", m[3], m[4]}
	}
	return found
}

// blockOf returns the block that a class stands for.
func blockOf(source string, all map[string]string, class string) (*block, error) {
	b := &block{Attributes: map[string]attribute{}, Blocks: map[string]nestedBlock{}}
	known := forms(source, all, class)
	for _, m := range members.FindAllStringSubmatch(all[class], -1) {
		name, required, following := m[1], m[4] == "true", m[5]
		f, isWritten := known[name]
		if isWritten && f.isBlock {
			part, err := nestedOf(source, all, f, following, required)
			if err != nil {
				return nil, fmt.Errorf("%s.%s: %w", class, name, err)
			}
			b.Blocks[name] = part
			continue
		}
		kind := f.attributeType()
		if get := getter.FindStringSubmatch(following); !isWritten && get != nil {
			kind = map[string]any{"String": "string", "Number": "number", "Boolean": "bool",
				"List": []string{"list", "string"}, "StringMap": []string{"map", "string"}}[get[1]]
		}
		if strings.Contains(following, "new cdktn.StringMap(") {
			kind = []string{"map", "string"}
		}
		if kind == nil {
			return nil, fmt.Errorf("%s.%s: its type is none that the stub has", class, name)
		}
		if name != "alias" { // a word of Terraform's own, in the configuration of the provider
			b.Attributes[name] = attribute{kind, required, m[3] == "true", m[2] == "true"}
		}
	}
	return b, nil
}

// nestedOf returns a block of the class that a member has.
func nestedOf(source string, all map[string]string, f form, following string, required bool) (nestedBlock, error) {
	class := strings.TrimSuffix(strings.TrimSuffix(f.storage, "List"), "OutputReference") + "OutputReference"
	part := nestedBlock{Nesting: f.kind}
	if f.kind == "struct" {
		part.Nesting = "single"
	}
	if m := nested.FindStringSubmatch(following); m != nil && strings.HasSuffix(m[1], "OutputReference") {
		class = m[1]
		if f.kind == "list" {
			part.MaxItems = 1
		}
	}
	if required {
		part.MinItems = 1
	}
	if all[class] == "" { // a part of the provider's own configuration, of which there is no class
		part.Block = &block{Attributes: map[string]attribute{}}
		for name, f := range forms(source, all, class) {
			if kind := f.attributeType(); kind != nil {
				part.Block.Attributes[name] = attribute{Type: kind, Optional: true}
			}
		}
		return part, nil
	}
	var err error
	part.Block, err = blockOf(source, all, class)
	return part, err
}

// attributeType returns Terraform's type of an attribute; nil for one that is not written.
func (f form) attributeType() any {
	plain := map[string]string{"string": "string", "number": "number", "boolean": "bool"}
	if f.kind == "simple" {
		return plain[f.storage]
	}
	for _, suffix := range []string{"List", "Map"} {
		if element, ok := strings.CutSuffix(f.storage, suffix); ok && plain[element] != "" {
			return []string{f.kind, plain[element]}
		}
	}
	return nil
}
