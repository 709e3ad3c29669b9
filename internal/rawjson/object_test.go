package rawjson

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	const raw = `{"b":{"x":[1, 2.0],"y":"a"},"a":1.50,"é<":"\u003c"}`
	for _, tt := range []struct {
		name, raw string
		path      []string
		want      string
	}{
		{"a member", raw, []string{"a"}, `{"b":{"x":[1, 2.0],"y":"a"},"a":"new","é<":"\u003c"}`},
		{"a member of a member", raw, []string{"b", "y"}, `{"b":{"x":[1, 2.0],"y":"new"},"a":1.50,"é<":"\u003c"}`},
		{"all", raw, nil, `"new"`},
		{"not there", raw, []string{"c"}, `a JSON object has no member "c"`},
		{"no object", raw, []string{"a", "c"}, `"1.50" is not a JSON object`},
		{"broken", `{"a":`, []string{"a"}, "EOF"},
	} {
		got, err := Replace(json.RawMessage(tt.raw), json.RawMessage(`"new"`), tt.path...)
		if err != nil {
			got = json.RawMessage(err.Error())
		}
		if string(got) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestWithout(t *testing.T) {
	t.Parallel()
	o, err := Read(json.RawMessage(`{"a":1,"b":2,"c":3}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(o.Without("a", "c", "d").Bytes()); got != `{"b":2}` {
		t.Error(got)
	}
	if got := string(o.Without("a", "b", "c").Bytes()); got != `{}` {
		t.Error(got)
	}
}

// FuzzObject checks that an object's members are written as they were read.
func FuzzObject(f *testing.F) {
	f.Add(`{"a":1.0,"a":null,"<":"\u00e9"}`)
	f.Add(`{}`)
	f.Add(`{"a":1}}`)
	f.Fuzz(func(t *testing.T, text string) {
		all, err := Read(json.RawMessage(text))
		if err != nil || !json.Valid([]byte(text)) {
			return
		}
		again, err := Read(all.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all, again); diff != "" {
			t.Error(diff)
		}
	})
}
