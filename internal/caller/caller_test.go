package caller

import (
	"errors"
	"testing"

	"deployer/internal/fault"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

func TestIdentity(t *testing.T) {
	t.Parallel()
	_, url := emulatortest.Start(t, emulator.Options{})
	identity, err := Identity(t.Context(), accounts.Connect(url, accounts.Prod, accounts.Region).Config)
	if err != nil || identity.AccountID != accounts.Prod {
		t.Errorf("%v, %v; want an identity of account %s", identity, err, accounts.Prod)
	}
}

// TestIdentityFaults checks the class and the text of each error.
func TestIdentityFaults(t *testing.T) {
	t.Parallel()
	e, url := emulatortest.Start(t, emulator.Options{})
	e.Inject(emulator.Fault{Operation: "sts:GetCallerIdentity", Error: emulator.AccessDenied("explicit deny")})
	_, err := Identity(t.Context(), accounts.Connect(url, accounts.Prod, accounts.Region).Config)
	const want = "getting the caller's identity from STS: AccessDenied: explicit deny " +
		"(AWS does not say what it denied: find the call in CloudTrail, " +
		"and allow it in the policy of the caller, which this prints: aws sts get-caller-identity)"
	var misconfigured *fault.Misconfiguration
	if !errors.As(err, &misconfigured) || err.Error() != want {
		t.Errorf("error %v (%T)\nwant  %s", err, err, want)
	}
}
