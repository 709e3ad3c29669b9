// Package rawjson reads JSON objects and writes them again as they came: every member is
// kept, in its order, and no value is rewritten. What AWS returns can so be sent back
// without what this version of the SDK does not know.
package rawjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Member is a member of a JSON object. Its value is as it came.
type Member struct {
	Name  string
	Value json.RawMessage
}

// Object is the members of a JSON object in their order.
type Object []Member

// Read returns the members of a JSON object.
func Read(raw json.RawMessage) (o Object, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("%.20q is not a JSON object", raw)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := Member{Name: name.(string)} // a name in an object is a string
		if err := d.Decode(&m.Value); err != nil {
			return nil, err
		}
		o = append(o, m)
	}
	_, err = d.Token()
	return o, err
}

// Bytes returns the JSON object.
func (o Object) Bytes() json.RawMessage {
	var b bytes.Buffer
	for i, m := range o {
		b.WriteByte("{,"[min(i, 1)])
		b.Write(Encode(m.Name))
		b.WriteByte(':')
		b.Write(m.Value)
	}
	if len(o) == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return b.Bytes()
}

// Without returns the object without the members of the given names.
func (o Object) Without(names ...string) Object {
	return slices.DeleteFunc(slices.Clone(o), func(m Member) bool { return slices.Contains(names, m.Name) })
}

// Encode returns a value as JSON. Values that cannot be encoded are not passed.
func Encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return bytes.TrimSpace(b.Bytes())
}

// Replace returns a JSON object with another value of the member at a path of names. The
// member must be there.
func Replace(raw, value json.RawMessage, path ...string) (json.RawMessage, error) {
	if len(path) == 0 {
		return value, nil
	}
	o, err := Read(raw)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(o, func(m Member) bool { return m.Name == path[0] })
	if i < 0 {
		return nil, fmt.Errorf("a JSON object has no member %q", path[0])
	}
	if o[i].Value, err = Replace(o[i].Value, value, path[1:]...); err != nil {
		return nil, err
	}
	return o.Bytes(), nil
}
