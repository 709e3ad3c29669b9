package image

import (
	"regexp"
	"strings"
	"testing"
)

// forms are the checks, with the regular expressions that they are equal to. Those of tag
// and repository are ECR's own ("PutImage" and "CreateRepository" in the ECR API reference).
var forms = map[string]struct {
	check func(string) bool
	form  *regexp.Regexp
}{
	"tag":    {ValidTag, regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)},
	"digest": {ValidDigest, regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)},
	"repository": {ValidRepository, regexp.MustCompile(
		`^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$`)},
	"host": {validHost, regexp.MustCompile(
		`^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?$`)},
	"signature": {IsSignature, regexp.MustCompile(`^sha256-[0-9a-f]{64}\.(sig|att|sbom)$`)},
	"account":   {ValidAccountID, regexp.MustCompile(`^[0-9]{12}$`)},
	"region":    {ValidRegion, regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)},
}

// registryForm matches the host names of a registry: plain, FIPS, and the dual-stack
// forms of both.
var registryForm = regexp.MustCompile(
	`^([0-9]{12})\.(?:dkr\.ecr|dkr\.ecr-fips|dkr-ecr|dkr-ecr-fips)\.([a-z]{2,}(?:-[a-z]+)+-[0-9]+)\.(.+)$`)

// parseForm is ParseHost by a regular expression.
func parseForm(host string) (Registry, bool) {
	m := registryForm.FindStringSubmatch(host)
	if m == nil {
		return Registry{}, false
	}
	switch m[3] {
	case PartitionOf(m[2]).Suffix, "on.aws", "on.amazonwebservices.com.cn":
		return Registry{AccountID: m[1], Region: m[2]}, true
	}
	return Registry{}, false
}

// checkForms compares every check with its regular expression.
func checkForms(t *testing.T, s string) {
	t.Helper()
	for name, f := range forms {
		want := f.form.MatchString(s) && (name != "repository" || len(s) <= 256)
		if got := f.check(s); got != want {
			t.Errorf("%s %q: %v, want %v", name, s, got, want)
		}
	}
	got, ok := ParseHost(s)
	if want, wantOK := parseForm(s); got != want || ok != wantOK {
		t.Errorf("registry %q: %v, %v, want %v, %v", s, got, ok, want, wantOK)
	}
}

// formSeeds are texts at the limits of the forms.
func formSeeds() []string {
	sum := strings.Repeat("0123456789abcdef", 4)
	seeds := []string{
		"", "\n", "é", "a\n", "latest", "_x", ".x", "-x", "A.b_c-9", strings.Repeat("a", 128), strings.Repeat("a", 129),
		"sha256:" + sum, "sha256:" + strings.ToUpper(sum), "sha256:" + sum[1:], "sha256:" + sum + "0", "sha512:" + sum,
		"a/b", "a//b", "/a", "a/", "a.b", "a..b", "a__b", "a___b", "a--b", "a-_b", "a_-b", "-a", "a-", "A/b", "a/b-/c",
		strings.Repeat("a", 256), strings.Repeat("a", 257), "localhost:5000", "h:", "h:123456", "h:1:2",
		"-h", "h-", "h.",
		"sha256-" + sum + ".sig", "sha256-" + sum + ".att", "sha256-" + sum + ".sbom", "sha256-" + sum + ".sig.sig",
		"sha256-" + sum, "012345678901", "12345678901", "0123456789012", "01234567890a", "us-east-1", "us-gov-west-1",
		"us--1", "u-east-1", "us-1", "us-east-", "us-east-1a", "us-east", "us-east-10", "us-east-1-1",
	}
	for _, middle := range []string{"dkr.ecr", "dkr.ecr-fips", "dkr-ecr", "dkr-ecr-fips", "ecr", "dkr.ecr.dkr.ecr"} {
		for _, tail := range []string{"us-east-1.amazonaws.com", "cn-north-1.amazonaws.com.cn", "us-east-1.on.aws",
			"us-east-1.example.com", "us-east-1", "us-east-1.", "us-east-1.amazonaws.com\n"} {
			seeds = append(seeds, "111111111111."+middle+"."+tail)
		}
	}
	return seeds
}

func TestForms(t *testing.T) {
	t.Parallel()
	for _, s := range formSeeds() {
		checkForms(t, s)
	}
}

// FuzzForms looks for a text of which a check and its regular expression differ.
func FuzzForms(f *testing.F) {
	for _, s := range formSeeds() {
		f.Add(s)
	}
	f.Fuzz(checkForms)
}
