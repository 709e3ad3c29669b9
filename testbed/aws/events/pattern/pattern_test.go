package pattern

import (
	"strings"
	"testing"
)

// push is an ECR Image Action event.
const push = `{
	"version": "0", "id": "13cde686-328b-6117-af20-0e5566167482", "detail-type": "ECR Image Action",
	"source": "aws.ecr", "account": "111111111111", "time": "2026-03-04T09:15:27Z", "region": "us-east-1",
	"resources": [],
	"detail": {"result": "SUCCESS", "repository-name": "myproject_backend", "action-type": "PUSH", "image-tag": "latest"}
}`

func TestMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		pattern string
		event   string
		want    bool
	}{
		{"source", `{"source": ["aws.ecr"]}`, push, true},
		{"one of several values", `{"source": ["aws.ecs", "aws.ecr"]}`, push, true},
		{"another value", `{"source": ["aws.ecs"]}`, push, false},
		{"case matters", `{"source": ["AWS.ECR"]}`, push, false},
		{"all fields have to match", `{"source": ["aws.ecr"], "region": ["eu-west-1"]}`, push, false},
		{"nested", `{"detail": {"action-type": ["PUSH"], "result": ["SUCCESS"]}}`, push, true},
		{"nested, another value", `{"detail": {"action-type": ["DELETE"]}}`, push, false},
		{"field not in event", `{"detail": {"manifest": ["PUSH"]}}`, push, false},
		{"object pattern, scalar event", `{"source": {"name": ["aws.ecr"]}}`, push, false},
		{"leaf pattern, object event", `{"detail": ["PUSH"]}`, push, false},

		{"null", `{"a": [null]}`, `{"a": null}`, true},
		{"null is not missing", `{"a": [null]}`, `{}`, false},
		{"null is not the word", `{"a": [null]}`, `{"a": "null"}`, false},
		{"empty string", `{"a": [""]}`, `{"a": ""}`, true},
		{"empty string is not null", `{"a": [""]}`, `{"a": null}`, false},
		{"true", `{"a": [true]}`, `{"a": true}`, true},
		{"true is not the word", `{"a": [true]}`, `{"a": "true"}`, false},
		{"number", `{"a": [300]}`, `{"a": 300}`, true},
		{"number written otherwise", `{"a": [300]}`, `{"a": 3.0e2}`, true},
		{"number is not its digits", `{"a": [300]}`, `{"a": "300"}`, false},
		{"account number too long for numeric", `{"a": [123456789012]}`, `{"a": 123456789012}`, true},
		{"long number written otherwise", `{"a": [123456789012]}`, `{"a": 1.23456789012e11}`, false},

		{"event array has it", `{"a": ["x"]}`, `{"a": ["w", "x"]}`, true},
		{"event array lacks it", `{"a": ["x"]}`, `{"a": ["w"]}`, false},
		{"event array in array", `{"a": ["x"]}`, `{"a": [["w"], ["x"]]}`, true},
		{"one element has both", `{"a": {"b": [1], "c": [2]}}`, `{"a": [{"b": 0}, {"b": 1, "c": 2}]}`, true},
		{"two elements have one each", `{"a": {"b": [1], "c": [2]}}`, `{"a": [{"b": 1}, {"c": 2}]}`, false},
		{"object in nested arrays", `{"a": {"b": [1]}}`, `{"a": [[{"b": 0}], [{"b": 1}]]}`, true},

		{"prefix", `{"detail": {"repository-name": [{"prefix": "myproject_"}]}}`, push, true},
		{"prefix of another", `{"detail": {"repository-name": [{"prefix": "other_"}]}}`, push, false},
		{"prefix of a number", `{"a": [{"prefix": "3"}]}`, `{"a": 30}`, false},

		{"suffix", `{"detail": {"repository-name": [{"suffix": "_backend"}]}}`, push, true},
		{"suffix of another", `{"detail": {"repository-name": [{"suffix": "myproject_"}]}}`, push, false},
		{"suffix of a number", `{"a": [{"suffix": "0"}]}`, `{"a": 30}`, false},
		{"exists", `{"detail": {"image-tag": [{"exists": true}]}}`, push, true},
		{"exists, missing", `{"detail": {"manifest": [{"exists": true}]}}`, push, false},
		{"exists, null", `{"a": [{"exists": true}]}`, `{"a": null}`, true},
		{"exists, not a leaf", `{"detail": [{"exists": true}]}`, push, false},
		{"exists, empty array", `{"resources": [{"exists": true}]}`, push, false},
		{"does not exist", `{"detail": {"manifest": [{"exists": false}]}}`, push, true},
		{"does not exist, but does", `{"detail": {"image-tag": [{"exists": false}]}}`, push, false},
		{"does not exist, parent missing", `{"a": {"b": [{"exists": false}]}}`, `{"c": 1}`, true},
		{"does not exist, parent scalar", `{"a": {"b": [{"exists": false}]}}`, `{"a": 1}`, true},
		{"does not exist, not a leaf", `{"detail": [{"exists": false}]}`, push, true},
		{"does not exist in any element", `{"a": {"b": [{"exists": false}], "c": [1]}}`, `{"a": [{"b": 1}, {"c": 1}]}`,
			false},
		{"missing or a value, missing", `{"a": [{"exists": false}, "x"]}`, `{}`, true},
		{"missing or a value, the value", `{"a": [{"exists": false}, "x"]}`, `{"a": "x"}`, true},
		{"anything but", `{"detail": {"image-tag": [{"anything-but": "latest"}]}}`, push, false},
		{"anything but another", `{"detail": {"image-tag": [{"anything-but": "v1"}]}}`, push, true},
		{"anything but a list", `{"detail": {"image-tag": [{"anything-but": ["v1", "latest"]}]}}`, push, false},
		{"anything but numbers", `{"a": [{"anything-but": [1, 2]}]}`, `{"a": 3}`, true},
		{"anything but a prefix", `{"detail": {"image-tag": [{"anything-but": {"prefix": "la"}}]}}`, push, false},
		{"anything but prefixes", `{"detail": {"image-tag": [{"anything-but": {"prefix": ["v", "g"]}}]}}`, push, true},
		{"anything but, missing", `{"detail": {"manifest": [{"anything-but": "v1"}]}}`, push, false},
		{"anything but, one element of an array is", `{"a": [{"anything-but": "x"}]}`, `{"a": ["x", "y"]}`, true},
		{"suffix", `{"detail": {"repository-name": [{"suffix": "_backend"}]}}`, push, true},
		{"suffix of another", `{"detail": {"repository-name": [{"suffix": "_web"}]}}`, push, false},
		{"equals ignoring case", `{"source": [{"equals-ignore-case": "AWS.ECR"}]}`, push, true},
		{"prefix ignoring case", `{"source": [{"prefix": {"equals-ignore-case": "AWS."}}]}`, push, true},
		{"suffix ignoring case", `{"source": [{"suffix": {"equals-ignore-case": ".ECS"}}]}`, push, false},
		{"wildcard", `{"detail": {"repository-name": [{"wildcard": "my*_b*d"}]}}`, push, true},
		{"wildcard of another", `{"detail": {"repository-name": [{"wildcard": "my*_b"}]}}`, push, false},
		{"wildcard, literal star", `{"a": [{"wildcard": "a\\*"}]}`, `{"a": "ab"}`, false},
		{"or, the second", `{"$or": [{"source": ["x"]}, {"region": ["us-east-1"]}]}`, push, true},
		{"or, neither", `{"$or": [{"source": ["x"]}, {"region": ["x"]}]}`, push, false},
		{"or, and another field", `{"detail": {"result": ["FAILED"], "$or": [{"image-tag": ["latest"]},` +
			` {"image-tag": ["v1"]}]}}`, push, false},
		{"missing or a value, another", `{"a": [{"exists": false}, "x"]}`, `{"a": "y"}`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, err := Parse([]byte(test.pattern))
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Match([]byte(test.event))
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("%s matches %s: got %t, want %t", test.pattern, test.event, got, test.want)
			}
		})
	}
}

func TestMatchErrors(t *testing.T) {
	t.Parallel()
	p, err := Parse([]byte(`{"source": ["aws.ecr"]}`))
	if err != nil {
		t.Fatal(err)
	}
	for event, want := range map[string]string{
		`[]`:       "reading event: it is not a JSON object",
		`{"a": 1`:  "reading event: not JSON: unexpected EOF",
		`{} {}`:    "reading event: not JSON: something follows the first value",
		`"source"`: "reading event: it is not a JSON object",
	} {
		if _, err := p.Match([]byte(event)); err == nil || err.Error() != want {
			t.Errorf("matching %s: got error %v, want %q", event, err, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		pattern string
		want    string
	}{
		{"nothing", ``, `not JSON: EOF`},
		{"no object", `["aws.ecr"]`, `it is not a JSON object`},
		{"comment", `{"source": ["aws.ecr"] // ECR` + "\n}", `not JSON: invalid character '/' after object key:value ` +
			`pair`},
		{"empty", `{}`, `an empty object is not allowed`},
		{"empty object", `{"detail": {}}`, `detail: an empty object is not allowed`},
		{"empty array", `{"detail": {"a": []}}`, `detail.a: an empty array is not allowed`},
		{"scalar", `{"source": "aws.ecr"}`, `source: must be an object or an array, not the string "aws.ecr"`},
		{"array in array", `{"source": [["aws.ecr"]]}`, `source: a value must be a string, number, true, false, null ` +
			`or matcher, not an array`},
		{"unknown matcher", `{"a": [{"numeric": ["=", 1]}]}`, `a: unknown matcher "numeric"`},
		{"anything but null", `{"a": [{"anything-but": null}]}`,
			`a: anything-but must be a string, number, list or matcher, not null`},
		{"anything but nothing", `{"a": [{"anything-but": []}]}`, `a: anything-but must not be an empty array`},
		{"wildcards in a row", `{"a": [{"wildcard": "a**"}]}`, `a: wildcard "a**" has two wildcards in a row`},
		{"two keys", `{"a": [{"prefix": "x", "exists": true}]}`, `a: a matcher must have exactly one key, not 2`},
		{"or of one", `{"$or": [{"a": [1]}]}`, `$or: must have at least two objects`},
		{"prefix of number", `{"a": [{"prefix": 5}]}`, `a: prefix must be a string, not the number 5`},
		{"suffix of number", `{"a": [{"suffix": 5}]}`, `a: suffix must be a string, not the number 5`},
		{"exists of word", `{"a": [{"exists": "yes"}]}`, `a: exists must be true or false, not the string "yes"`},
		{"too long", `{"a": ["` + strings.Repeat("é", MaxLength) + `"]}`,
			`it has 2059 characters, more than the 2048 that EventBridge accepts`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := "parsing event pattern: " + test.want
			if _, err := Parse([]byte(test.pattern)); err == nil || err.Error() != want {
				t.Errorf("parsing %s:\ngot  %v\nwant %s", test.pattern, err, want)
			}
		})
	}
}

func TestParseAcceptsMaxLength(t *testing.T) {
	t.Parallel()
	longest := `{"a":["` + strings.Repeat("é", MaxLength-len(`{"a":[""]}`)) + `"]}`
	if _, err := Parse([]byte(longest)); err != nil {
		t.Error(err)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add([]byte(`{"source": ["aws.ecr"], "detail": {"a": [{"prefix": "x"}], "b": [{"exists": false}]}}`), []byte(push))
	f.Add([]byte(`{"a": {"b": [1, null], "c": [{"exists": true}]}}`), []byte(`{"a": [{"b": 1}, {"c": [[2]]}]}`))
	f.Fuzz(func(t *testing.T, pattern, event []byte) {
		p, err := Parse(pattern)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "parsing event pattern: ") {
				t.Errorf("error %q lacks its prefix", err)
			}
			return
		}
		got, err := p.Match(event)
		if err != nil {
			return
		}
		// An event is the same event inside an array of one, and the same pattern one level down.
		deeper, err := Parse([]byte(`{"x":` + string(pattern) + `}`))
		if err != nil {
			return // Six characters more may be too many.
		}
		if again, err := deeper.Match([]byte(`{"x":[` + string(event) + `]}`)); err != nil || again != got {
			t.Errorf("one level down: got %t, %v; want %t", again, err, got)
		}
	})
}
