package awsconfig

import (
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"deployer/internal/fault"
)

// TestLoad checks the region, and that missing credentials are a fault of its own.
// It sets the environment, so it does not run in parallel.
func TestLoad(t *testing.T) {
	setCredentials(t)
	c, err := Load(t.Context(), "eu-west-1")
	if err != nil || c.Region != "eu-west-1" {
		t.Errorf("region %q, error %v; want eu-west-1", c.Region, err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	_, err = Load(t.Context(), "eu-west-1")
	if !errors.Is(err, fault.ErrNoCredentials) || !fault.IsMisconfigured(err) {
		t.Errorf("without credentials: %v, want %v", err, fault.ErrNoCredentials)
	}
}

// setCredentials sets credentials, and nothing else of AWS, until the test ends.
func setCredentials(t *testing.T) {
	t.Helper()
	nowhere := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_PROFILE": "", "AWS_REGION": "us-east-1", "AWS_SESSION_TOKEN": "", "AWS_SECRET_ACCESS_KEY": "any",
		"AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_ACCESS_KEY_ID": "111111111111",
	} {
		t.Setenv(name, value)
	}
}

// certificate returns the certificate of a server as PEM.
func certificate(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}
