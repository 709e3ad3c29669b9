package compare

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	staging = names{"staging", "222222222222", "eu-west-1"}
	prod    = names{"prod", "333333333333", "us-east-1"}
)

// TestReplace checks which texts are an environment's names.
func TestReplace(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"arn:aws:iam::333333333333:role/app_task_prod", "arn:aws:iam::ACCOUNT:role/app_task_ENV"},
		{"prod", "ENV"},
		{"https://prod.example.com/us-east-1", "https://ENV.example.com/REGION"},
		{"production", "production"},
		{"products-prod", "products-ENV"},
		{"nonprod", "nonprod"},
		{"a-prod-prod_b", "a-ENV-ENV_b"},
		{"", ""},
	} {
		if got := prod.Replace(tt.text); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
	if got := (names{}).Replace("prod"); got != "prod" {
		t.Errorf("without names: %q", got)
	}
}

// TestSides compares two task definitions.
func TestSides(t *testing.T) {
	t.Parallel()
	const document = `{"family":"app_%[1]s","cpu":"256","taskRoleArn":"arn:aws:iam::%[2]s:role/app_%[1]s",%[3]s
		"containerDefinitions":[{"name":"app_%[1]s","image":"i","essential":true,%[4]s}]}`
	for _, tt := range []struct {
		name        string
		left, right [2]string // members of the task definition, and of the container
		values      bool
		want        []string
		alike       int
	}{
		{"the same", [2]string{"", `"cpu":1`}, [2]string{"", `"cpu":1`}, false, nil, 1},
		{"limits", [2]string{`"memory":"512",`, `"cpu":1`}, [2]string{`"memory":"1024",`, `"cpu":2`}, false,
			[]string{"memory: 512 | 1024", "container: cpu: 1 | 2"}, 1},
		{"environment names and values",
			[2]string{"", `"environment":[{"name":"A","value":"1"},{"name":"B","value":"x"}]`},
			[2]string{"", `"environment":[{"name":"A","value":"2"},{"name":"C","value":"x"}]`}, false,
			[]string{"container: environment A: hidden | hidden", "container: environment B: hidden | -",
				"container: environment C: - | hidden"}, 1},
		{"with values", [2]string{"", `"environment":[{"name":"A","value":"1"}],"command":["a","b"]`},
			[2]string{"", `"environment":[{"name":"A","value":"2"}],"command":["a"]`}, true,
			[]string{`container: command: ["a","b"] | ["a"]`, "container: environment A: 1 | 2"}, 1},
		{"a value with the environment's name",
			[2]string{"", `"environment":[{"name":"A","value":"db.staging.internal"}]`},
			[2]string{"", `"environment":[{"name":"A","value":"db.prod.internal"}]`}, false, nil, 2},
		{"secrets are references", [2]string{"", `"secrets":[{"name":"T","valueFrom":"/app/staging/t"}]`},
			[2]string{"", `"secrets":[{"name":"T","valueFrom":"/other/t"}]`}, false,
			[]string{"container: secret T: /app/staging/t | /other/t"}, 1},
		{"options that are secrets", [2]string{"", `"logConfiguration":{"logDriver":"x","options":{"api-token":"1"}}`},
			[2]string{"", `"logConfiguration":{"logDriver":"x","options":{"api-token":"2"}}`}, true,
			[]string{"container: logConfiguration.options.api-token: hidden | hidden"}, 1},
		{"what no version knows yet", [2]string{`"new":{"deep":[1,{"b":2,"a":1}]},`, `"cpu":1`},
			[2]string{`"new":{"deep":[1,{"a":1,"b":3}]},`, `"cpu":1`}, false,
			[]string{`new.deep: [1,{"a":1,"b":2}] | [1,{"a":1,"b":3}]`}, 1},
	} {
		side := func(n names, members [2]string) Side {
			fields, err := taskFields(fmt.Appendf(nil, document, n.env, n.account, members[0], members[1]),
				map[string]bool{"app_" + n.env: true}, n)
			if err != nil {
				t.Fatal(err)
			}
			return Side{names: n, fields: fields}
		}
		differences, alike := Sides(side(staging, tt.left), side(prod, tt.right), false, tt.values)
		var got []string
		for _, d := range differences {
			text := [2]string{"-", "-"}
			for i, v := range d.Values {
				if v != nil {
					text[i] = *v
				}
			}
			got = append(got, d.What+": "+text[0]+" | "+text[1])
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || alike != tt.alike {
			t.Errorf("%s: %d alike, want %d (-want +got):\n%s", tt.name, alike, tt.alike, diff)
		}
	}
}

// FuzzTaskFields checks that no task definition is too odd, and that a document is like itself.
func FuzzTaskFields(f *testing.F) {
	f.Add(`{"containerDefinitions":[{"name":"a","environment":[{"name":"A"},7,null]}],"tags":{}}`)
	f.Fuzz(func(t *testing.T, document string) {
		fields, err := taskFields([]byte(document), nil, prod)
		if err != nil {
			return
		}
		side := Side{names: prod, fields: fields}
		if differences, alike := Sides(side, side, true, true); len(differences) > 0 || alike > 0 {
			t.Errorf("%s differs from itself: %v", document, differences)
		}
	})
}
