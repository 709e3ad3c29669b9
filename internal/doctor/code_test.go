package doctor

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/lambda"
	"deployer/testbed/cloud"
)

// TestCode checks which file and version the doctor finds in the function's code.
func TestCode(t *testing.T) {
	t.Parallel()
	x := newFixture(t)
	const (
		name  = "arn:aws:lambda:us-east-1:111111111111:function:myproject_deployer_dev"
		text  = "project: myproject\nenv: dev\nregion: us-east-1\n"
		other = "project: myproject\nenv: dev\nregion: us-east-1 # changed\n"
	)
	env, err := environment.Parse("dev.yaml", []byte(text))
	must(t, err)
	env.AccountID = "111111111111"
	changed, err := environment.Parse("dev.yaml", []byte(other))
	must(t, err)
	const pack = "pack dev.yaml with it: make deploy env=dev"
	const log = "see the environment_sha256 that its log has at each cold start: sha256sum dev.yaml"
	same := Finding{"function's file", "", OK, "dev.yaml, SHA-256 " + env.SHA256, ""}
	differs := func(file string) Finding {
		return Finding{"function's file", "", Warning, "the function runs another file than dev.yaml: its SHA-256 is " +
			changed.SHA256 + ", and that of dev.yaml is " + env.SHA256, "if the change is to be deployed: " +
			`make deploy env=dev; to see it: curl -so code.zip "$(aws lambda get-function --region us-east-1 ` +
			`--function-name myproject_deployer_dev --query Code.Location --output text)" && unzip -p code.zip ` +
			file + " | diff - dev.yaml"}
	}
	unknown := func(seen, fix string) Finding { return Finding{"function's file", "", Unknown, seen, fix} }
	checker := func() *checker {
		return newChecker(env, x.accounts["dev"].Config, arn.ARN{Partition: "aws", AccountID: env.AccountID})
	}
	for _, tt := range []struct {
		name, variable string
		files          map[string]string // nil for a container image
		want           []Finding
	}{
		{"the same", "environment.yaml", map[string]string{"environment.yaml": text}, []Finding{same}},
		{"the variable is not set", "", map[string]string{"environment.yaml": text}, []Finding{same}},
		{"another name", "./conf/dev.yaml", map[string]string{"conf/dev.yaml": text}, []Finding{same}},
		{"changed", "", map[string]string{"environment.yaml": other}, []Finding{differs("environment.yaml")}},
		{"changed, of another name", "a/b.yaml", map[string]string{"a/b.yaml": other}, []Finding{differs("a/b.yaml")}},
		{"with a version", "", map[string]string{"environment.yaml": text, "version": "v1.2.3\n"}, []Finding{same,
			{"function's version", "", OK, "v1.2.3", ""}}},
		{"no file", "", map[string]string{"bootstrap": ""}, []Finding{{"function's file", "", Problem,
			"the function's code has no environment.yaml: the function does not start", pack}}},
		{"outside of the code", "/opt/environment.yaml", map[string]string{}, []Finding{unknown(
			"not compared with dev.yaml: the function reads /opt/environment.yaml, which is not in its code", log)}},
		{"a container image", "", nil, []Finding{unknown(
			"not compared with dev.yaml: the function's code is a container image", log)}},
	} {
		files := map[string][]byte{}
		for name, content := range tt.files {
			files[name] = []byte(content)
		}
		function := lambda.Function{ARN: name}
		if tt.files != nil {
			function.Code, err = cloud.Code(files)
			must(t, err)
		}
		x.aws.CreateFunction(function)
		f := &findings{}
		f.code(t.Context(), checker(), tt.variable)
		if diff := cmp.Diff(tt.want, f.list); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
	}
	x.aws.SetFunctionCode(name, []byte("no zip"))
	f := &findings{}
	f.code(t.Context(), checker(), "")
	want := []Finding{unknown("not checked: reading the function's code: zip: not a valid zip file", "try again")}
	if diff := cmp.Diff(want, f.list); diff != "" {
		t.Error(diff)
	}
	x.aws.Inject(emulator.Fault{Operation: "s3:GetObject", Error: emulator.AccessDenied("")})
	f = &findings{}
	f.code(t.Context(), checker(), "")
	want = []Finding{unknown("not checked: downloading the function's code: 400 Bad Request", "try again")}
	if diff := cmp.Diff(want, f.list); diff != "" {
		t.Error(diff)
	}
}

// TestVersion compares the function's version with the command line's.
func TestVersion(t *testing.T) {
	t.Parallel()
	c := &checker{env: load(t, "dev")}
	const commit = "0123456789abcdef0123456789abcdef01234567"
	ok := Finding{"function's version", "", OK, "v1.2.3", ""}
	for _, tt := range []struct {
		own  string
		want Finding
	}{
		{"v1.2.3", ok}, {"v1.2.3 " + commit, ok}, {"devel", ok}, {"devel " + commit + "-dirty", ok},
		{"v1.3.0 " + commit, Finding{"function's version", "", Warning,
			"the function is version v1.2.3, and this command line is v1.3.0",
			"update the function, with the same checkout as the command line: make deploy env=dev"}},
	} {
		f := &findings{}
		f.version(c, "v1.2.3", tt.own)
		if diff := cmp.Diff([]Finding{tt.want}, f.list); diff != "" {
			t.Errorf("%s:\n%s", tt.own, diff)
		}
	}
}
