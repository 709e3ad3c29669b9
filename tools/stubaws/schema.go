package main

import (
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// schemas are those of the resources that deploy/terraform uses, in the format of `terraform providers schema -json`.
// scripts/terraform-schema writes the file.
//
//go:embed schemas.json
var schemas []byte

type provider struct {
	Provider    schema            `json:"provider"`
	Resources   map[string]schema `json:"resource_schemas"`
	DataSources map[string]schema `json:"data_source_schemas"`
}

type schema struct {
	Block block `json:"block"`
}

type block struct {
	Attributes map[string]attribute   `json:"attributes"`
	Blocks     map[string]nestedBlock `json:"block_types"`
}

type attribute struct {
	Type                         json.RawMessage `json:"type"`
	Required, Optional, Computed bool
}

type nestedBlock struct {
	Nesting  string `json:"nesting_mode"` // single, list or set
	Block    block  `json:"block"`
	MinItems uint64 `json:"min_items"`
	MaxItems uint64 `json:"max_items"`
}

// schemaMessage returns the answer to GetSchema as a protocol buffer (hashicorp/terraform, docs/plugin-protocol,
// tfplugin5: GetProviderSchema.Response).
func schemaMessage() ([]byte, error) {
	p, err := readSchemas()
	if err != nil {
		return nil, err
	}
	var m message
	m.bytes(1, p.Provider.message())
	m.schemas(2, p.Resources)
	m.schemas(3, p.DataSources)
	return m, nil
}

// readSchemas returns the schemas of the file's only provider.
func readSchemas() (p provider, err error) {
	var file struct {
		Providers map[string]provider `json:"provider_schemas"`
	}
	if err := json.Unmarshal(schemas, &file); err != nil {
		return provider{}, fmt.Errorf("reading schemas.json: %w", err)
	}
	for _, p = range file.Providers {
	}
	return p, nil
}

// message is a protocol buffer that is being written ("Encoding" in the documentation of Protocol Buffers).
type message []byte

func (m *message) number(field int, value uint64) {
	if value > 0 {
		*m = binary.AppendUvarint(binary.AppendUvarint(*m, uint64(field)<<3), value)
	}
}

func (m *message) flag(field int, value bool) {
	if value {
		m.number(field, 1)
	}
}

func (m *message) bytes(field int, value []byte) {
	*m = binary.AppendUvarint(binary.AppendUvarint(*m, uint64(field)<<3|2), uint64(len(value)))
	*m = append(*m, value...)
}

// schemas adds a map of schemas.
func (m *message) schemas(field int, all map[string]schema) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var entry message
		entry.bytes(1, []byte(name))
		entry.bytes(2, all[name].message())
		m.bytes(field, entry)
	}
}

func (s schema) message() (m message) {
	m.bytes(2, s.Block.message())
	return m
}

func (b block) message() (m message) {
	for _, name := range slices.Sorted(maps.Keys(b.Attributes)) {
		a := b.Attributes[name]
		var field message
		field.bytes(1, []byte(name))
		field.bytes(2, a.Type)
		field.flag(4, a.Required)
		field.flag(5, a.Optional)
		field.flag(6, a.Computed)
		m.bytes(2, field)
	}
	for _, name := range slices.Sorted(maps.Keys(b.Blocks)) {
		nested := b.Blocks[name]
		var field message
		field.bytes(1, []byte(name))
		field.bytes(2, nested.Block.message())
		field.number(3, map[string]uint64{"single": 1, "list": 2, "set": 3}[nested.Nesting])
		field.number(4, nested.MinItems)
		field.number(5, nested.MaxItems)
		m.bytes(3, field)
	}
	return m
}
