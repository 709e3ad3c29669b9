package pattern

import (
	"strings"
	"testing"
)

// push is the shape of the event that the deployer lives on.
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
		{"prefix ignoring case", `{"a": [{"prefix": {"equals-ignore-case": "EventB"}}]}`, `{"a": "EVENTBRIDGE"}`, true},
		{"suffix", `{"a": [{"suffix": ".png"}]}`, `{"a": "x.png"}`, true},
		{"suffix, other case", `{"a": [{"suffix": ".png"}]}`, `{"a": "x.PNG"}`, false},
		{"suffix ignoring case", `{"a": [{"suffix": {"equals-ignore-case": ".png"}}]}`, `{"a": "x.PNG"}`, true},
		{"equals ignoring case", `{"a": [{"equals-ignore-case": "alice"}]}`, `{"a": "ALICE"}`, true},
		{"equals ignoring case is whole", `{"a": [{"equals-ignore-case": "alice"}]}`, `{"a": "ALICE2"}`, false},

		{"anything but", `{"a": [{"anything-but": "x"}]}`, `{"a": "y"}`, true},
		{"anything but, the value", `{"a": [{"anything-but": "x"}]}`, `{"a": "x"}`, false},
		{"anything but, missing", `{"a": [{"anything-but": "x"}]}`, `{}`, false},
		{"anything but, null", `{"a": [{"anything-but": "x"}]}`, `{"a": null}`, true},
		{"anything but, other type", `{"a": [{"anything-but": "5"}]}`, `{"a": 5}`, true},
		{"anything but a list", `{"a": [{"anything-but": ["x", "y"]}]}`, `{"a": "y"}`, false},
		{"anything but a list, other", `{"a": [{"anything-but": ["x", "y"]}]}`, `{"a": "z"}`, true},
		{"anything but numbers", `{"a": [{"anything-but": [100, 200]}]}`, `{"a": 200.0}`, false},
		{"anything but, one of an array", `{"a": [{"anything-but": "x"}]}`, `{"a": ["x", "y"]}`, true},
		{"anything but a prefix", `{"a": [{"anything-but": {"prefix": "sha256-"}}]}`, `{"a": "sha256-00.sig"}`, false},
		{"anything but a prefix, other", `{"a": [{"anything-but": {"prefix": "sha256-"}}]}`, `{"a": "latest"}`, true},
		{"anything but prefixes", `{"a": [{"anything-but": {"prefix": ["a-", "b-"]}}]}`, `{"a": "b-1"}`, false},
		{"anything but a suffix", `{"a": [{"anything-but": {"suffix": [".sig", ".att"]}}]}`, `{"a": "x.att"}`, false},
		{"anything but ignoring case", `{"a": [{"anything-but": {"equals-ignore-case": ["x"]}}]}`, `{"a": "X"}`, false},
		{"anything but a wildcard", `{"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}`, `{"a": "/usr/lib/x"}`, false},
		{"anything but a wildcard, other", `{"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}`, `{"a": "/usr/bin/x"}`, true},

		{"numeric equal", `{"a": [{"numeric": ["=", 3.018e2]}]}`, `{"a": 301.8}`, true},
		{"numeric range", `{"a": [{"numeric": [">", 0, "<=", 5]}]}`, `{"a": 5}`, true},
		{"numeric open bottom", `{"a": [{"numeric": [">", 0, "<=", 5]}]}`, `{"a": 0}`, false},
		{"numeric open top", `{"a": [{"numeric": [">=", 0, "<", 5]}]}`, `{"a": 5}`, false},
		{"numeric closed bottom", `{"a": [{"numeric": [">=", 0, "<", 5]}]}`, `{"a": 0}`, true},
		{"numeric below", `{"a": [{"numeric": ["<", 10]}]}`, `{"a": -1e8}`, true},
		{"numeric of digits", `{"a": [{"numeric": ["<", 10]}]}`, `{"a": "5"}`, false},
		{"numeric of a number too large", `{"a": [{"numeric": [">", 0]}]}`, `{"a": 6e9}`, false},

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
		{"does not exist in any element", `{"a": {"b": [{"exists": false}], "c": [1]}}`, `{"a": [{"b": 1}, {"c": 1}]}`, false},
		{"missing or a value, missing", `{"a": [{"exists": false}, "x"]}`, `{}`, true},
		{"missing or a value, the value", `{"a": [{"exists": false}, "x"]}`, `{"a": "x"}`, true},
		{"missing or a value, another", `{"a": [{"exists": false}, "x"]}`, `{"a": "y"}`, false},

		{"wildcard", `{"a": [{"wildcard": "dir/*.png"}]}`, `{"a": "dir/sub/x.png"}`, true},
		{"wildcard whole", `{"a": [{"wildcard": "dir/*.png"}]}`, `{"a": "a/dir/x.png"}`, false},
		{"wildcard does not overlap", `{"a": [{"wildcard": "aba*ba"}]}`, `{"a": "aba"}`, false},
		{"wildcards", `{"a": [{"wildcard": "*a*b*"}]}`, `{"a": "xaxbx"}`, true},
		{"wildcards in order", `{"a": [{"wildcard": "*a*b*"}]}`, `{"a": "xbxax"}`, false},
		{"wildcard escaped", `{"a": [{"wildcard": "a\\*b\\\\"}]}`, `{"a": "a*b\\"}`, true},
		{"wildcard escaped is no wildcard", `{"a": [{"wildcard": "a\\*b"}]}`, `{"a": "axb"}`, false},
		{"wildcard alone", `{"a": [{"wildcard": "*"}]}`, `{"a": ""}`, true},

		{"cidr", `{"a": [{"cidr": "10.0.0.0/24"}]}`, `{"a": "10.0.0.33"}`, true},
		{"cidr, outside", `{"a": [{"cidr": "10.0.0.0/24"}]}`, `{"a": "10.0.1.33"}`, false},
		{"cidr, IPv6", `{"a": [{"cidr": "2001:db8::/32"}]}`, `{"a": "2001:db8::1"}`, true},
		{"cidr, no address", `{"a": [{"cidr": "10.0.0.0/24"}]}`, `{"a": "host"}`, false},

		{"or, first", `{"$or": [{"a": [1]}, {"b": [2]}]}`, `{"a": 1}`, true},
		{"or, second", `{"$or": [{"a": [1]}, {"b": [2]}]}`, `{"b": 2}`, true},
		{"or, neither", `{"$or": [{"a": [1]}, {"b": [2]}]}`, `{"a": 2, "b": 1}`, false},
		{"or with and", `{"source": ["aws.ecr"], "$or": [{"a": [1]}, {"b": [2]}]}`, `{"source": "aws.ecs", "a": 1}`, false},
		{"or below", `{"detail": {"$or": [{"repository-name": [{"prefix": "myproject_"}]}, {"repository-name": [""]}]}}`, push, true},
		{"or in or", `{"$or": [{"a": [1], "$or": [{"c": [3]}, {"d": [4]}]}, {"b": [2]}]}`, `{"a": 1, "d": 4}`, true},
		{"or and array consistency", `{"a": {"b": [1]}, "$or": [{"a": {"c": [2]}}, {"x": [1]}]}`, `{"a": [{"b": 1}, {"c": 2}]}`, false},
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

func TestMatchRefusesWhatIsNoEvent(t *testing.T) {
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

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		pattern string
		want    string
	}{
		{"nothing", ``, `not JSON: EOF`},
		{"no object", `["aws.ecr"]`, `it is not a JSON object`},
		{"comment", `{"source": ["aws.ecr"] // ECR` + "\n}", `not JSON: invalid character '/' after object key:value pair`},
		{"empty", `{}`, `an empty object is not allowed`},
		{"empty object", `{"detail": {}}`, `detail: an empty object is not allowed`},
		{"empty array", `{"detail": {"a": []}}`, `detail.a: an empty array is not allowed`},
		{"scalar", `{"source": "aws.ecr"}`, `source: must be an object or an array, not the string "aws.ecr"`},
		{"array in array", `{"source": [["aws.ecr"]]}`, `source: a value must be a string, number, true, false, null or matcher, not an array`},
		{"unknown matcher", `{"a": [{"regex": "x"}]}`, `a: unknown matcher "regex"`},
		{"two keys", `{"a": [{"prefix": "x", "suffix": "y"}]}`, `a: a matcher must have exactly one key, not 2`},
		{"prefix of number", `{"a": [{"prefix": 5}]}`, `a: prefix must be a string, not the number 5`},
		{"prefix of suffix", `{"a": [{"prefix": {"suffix": "x"}}]}`, `a: prefix takes a string or equals-ignore-case, not "suffix"`},
		{"exists of word", `{"a": [{"exists": "yes"}]}`, `a: exists must be true or false, not the string "yes"`},
		{"cidr", `{"a": [{"cidr": "10.0.0.0"}]}`, `a: cidr "10.0.0.0" is not an address block like 10.0.0.0/24`},
		{"wildcards in a row", `{"a": [{"wildcard": "x**y"}]}`, `a: wildcard "x**y" has two * in a row`},
		{"wildcard escape", `{"a": [{"wildcard": "x\\y"}]}`, `a: wildcard "x\\y" has a \ before something other than * or \`},
		{"wildcard escape at end", `{"a": [{"wildcard": "x\\"}]}`, `a: wildcard "x\\" has a \ before something other than * or \`},
		{"anything but mixed", `{"a": [{"anything-but": ["x", 1]}]}`, `a: anything-but takes strings alone or numbers alone, and in a prefix, suffix, equals-ignore-case or wildcard strings alone`},
		{"anything but null", `{"a": [{"anything-but": null}]}`, `a: anything-but takes strings or numbers, not null`},
		{"anything but nothing", `{"a": [{"anything-but": []}]}`, `a: anything-but must have at least one value`},
		{"anything but empty prefix", `{"a": [{"anything-but": {"prefix": ""}}]}`, `a: anything-but prefix must not be empty`},
		{"anything but numeric", `{"a": [{"anything-but": {"numeric": ["=", 1]}}]}`, `a: anything-but does not take "numeric"`},
		{"numeric of one", `{"a": [{"numeric": [">"]}]}`, `a: numeric must be an array of one or two operators, each followed by a number, like [">", 0, "<=", 5]`},
		{"numeric order", `{"a": [{"numeric": ["<", 5, ">", 0]}]}`, `a: numeric operator "<" is unknown or out of place: a range is > or >=, then < or <=`},
		{"numeric empty", `{"a": [{"numeric": [">", 5, "<", 5]}]}`, `a: numeric range from 5 to 5 is empty`},
		{"numeric too large", `{"a": [{"numeric": ["=", 123456789012]}]}`, `a: numeric value 123456789012 is not between -5e9 and 5e9`},
		{"or of one", `{"$or": [{"a": [1]}]}`, `$or: must have at least two objects, not 1`},
		{"or of scalars", `{"$or": [1, 2]}`, `$or: must hold only objects, not the number 1`},
		{"or of matchers", `{"$or": [{"prefix": ["a"]}, {"a": ["b"]}]}`, `prefix: "prefix" cannot be the name of a field inside $or`},
		{"too many combinations", tooMany(), `f4: the $or branches make more than 1000 combinations`},
		{"too long", `{"a": ["` + strings.Repeat("é", MaxLength) + `"]}`, `it has 2059 characters, more than the 2048 that EventBridge takes`},
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

// tooMany returns a pattern with six fields of four branches each: 4,096 combinations, the fifth being too many.
func tooMany() string {
	var fields []string
	for _, name := range []string{"f0", "f1", "f2", "f3", "f4", "f5"} {
		fields = append(fields, `"`+name+`": {"$or": [{"a": [1]}, {"b": [1]}, {"c": [1]}, {"d": [1]}]}`)
	}
	return "{" + strings.Join(fields, ",") + "}"
}

func TestParseTakesTheLongestPattern(t *testing.T) {
	t.Parallel()
	longest := `{"a":["` + strings.Repeat("é", MaxLength-len(`{"a":[""]}`)) + `"]}`
	if _, err := Parse([]byte(longest)); err != nil {
		t.Error(err)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add([]byte(`{"source": ["aws.ecr"], "detail": {"$or": [{"a": [{"wildcard": "*x*"}]}, {"b": [{"exists": false}]}]}}`), []byte(push))
	f.Add([]byte(`{"a": {"b": [{"numeric": [">", 0, "<=", 5]}], "c": [{"anything-but": ["x"]}]}}`), []byte(`{"a": [{"b": 1}, {"c": [[2]]}]}`))
	f.Fuzz(func(t *testing.T, pattern, event []byte) {
		p, err := Parse(pattern)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "parsing event pattern: ") {
				t.Errorf("error %q does not say what was being done", err)
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
