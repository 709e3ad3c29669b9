package api

import (
	"regexp"
	"testing"
)

// The forms of an Authorization header and of an access key.
var (
	credentialForm = regexp.MustCompile(`^AWS4-(?:HMAC-SHA256|ECDSA-P256-SHA256) ` +
		`Credential=([^/,\s]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request,\s*` +
		`SignedHeaders=[^,\s]+,\s*Signature=[0-9a-f]+$`)
	accessKeyForm = regexp.MustCompile(`^(\d{12})(?:-([A-Za-z0-9+=,.@_-]{1,64}))?$`)
)

// FuzzCredential compares what is read with the forms.
func FuzzCredential(f *testing.F) {
	const scope = "/20260122/us-east-1/ecs/aws4_request, SignedHeaders=host;x-amz-date, Signature=0af9"
	for _, seed := range []string{
		"",
		"AWS4-HMAC-SHA256 Credential=111111111111" + scope,
		"AWS4-HMAC-SHA256 Credential=111111111111-deployer" + scope,
		"AWS4-ECDSA-P256-SHA256 Credential=111111111111" + scope,
		"AWS4-HMAC-SHA512 Credential=111111111111" + scope,
		"AWS4-HMAC-SHA256 Credential=" + scope,
		"AWS4-HMAC-SHA256  Credential=111111111111" + scope,
		"AWS4-HMAC-SHA256 Credential=a b" + scope,
		"AWS4-HMAC-SHA256 Credential=1/20260122/us-east-1/ecs/aws4_request,SignedHeaders=host,Signature=0",
		"AWS4-HMAC-SHA256 Credential=1/20260122/us-east-1/ecs/aws4_request,\t SignedHeaders=host,\r\nSignature=0",
		"AWS4-HMAC-SHA256 Credential=1/20260122/us-east-1/ecs/aws4_request,SignedHeaders=,Signature=0",
		"AWS4-HMAC-SHA256 Credential=1/20260122/us-east-1/ecs/aws4_request,SignedHeaders=host,Signature=",
		"AWS4-HMAC-SHA256 Credential=1/20260122/us-east-1/ecs/aws4_request,SignedHeaders=host,Signature=0g",
		"AWS4-HMAC-SHA256 Credential=1/20260122/us-east-1/ecs/aws4_request,SignedHeaders=a b,Signature=0",
		"AWS4-HMAC-SHA256 Credential=1/20260122/us-east-1/ecs/aws4_request,SignedHeaders=a,b,Signature=0",
		"AWS4-HMAC-SHA256 Credential=1/2026012/us-east-1/ecs/aws4_request,SignedHeaders=host,Signature=0",
		"AWS4-HMAC-SHA256 Credential=1/20260122/US/ecs/aws4_request,SignedHeaders=host,Signature=0",
		"AWS4-HMAC-SHA256 Credential=1/20260122/us-east-1//aws4_request,SignedHeaders=host,Signature=0",
		"AWS4-HMAC-SHA256 Credential=1/20260122/us-east-1/ecs/request,SignedHeaders=host,Signature=0",
		"AWS4-HMAC-SHA256 Credential=1/20260122/us-east-1/ecs/x/aws4_request,SignedHeaders=host,Signature=0",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got, ok := parseCredential(header)
		var want credential
		form := credentialForm.FindStringSubmatch(header)
		if form != nil {
			want = credential{key: form[1], region: form[2], service: form[3]}
		}
		if got != want || ok != (form != nil) {
			t.Errorf("%q: got %+v, %t, want %+v", header, got, ok, want)
		}
	})
}

// FuzzAccessKey compares the callers that are read from access keys with their form.
func FuzzAccessKey(f *testing.F) {
	for _, seed := range []string{
		"", "111111111111", "111111111111-deployer", "111111111111-a-b+=,.@_", "111111111111-", "11111111111-a",
		"1111111111111", "11111111111a", "AKIAIOSFODNN7EXAMPLE", "111111111111-a b", "111111111111-ü",
		"111111111111-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"111111111111-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		account, role, ok := parseAccessKey(key)
		form := accessKeyForm.FindStringSubmatch(key)
		want := form != nil
		if want && (account != form[1] || role != form[2]) || ok != want {
			t.Errorf("%q: got %q, %q, %t, want %q", key, account, role, ok, form)
		}
	})
}
