// Stubaws stands in for Terraform's AWS provider, so that `terraform validate` and `terraform test` run without network
// and without the provider, which has 700 MB. It knows the schemas of the resources that deploy/terraform uses, and
// nothing of AWS: it cannot plan or apply, which tests with mock_provider do without it.
//
// It speaks version 5 of Terraform's plugin protocol by hand: of the protocol's calls, only the schema has a content.
package main

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

// cookie is what Terraform gives its plugins in the environment, so that they notice when a person starts them
// (hashicorp/terraform, internal/plugin/serve.go, Handshake).
const cookieName, cookie = "TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "stubaws:", err)
		os.Exit(1)
	}
}

func run() error {
	if os.Getenv(cookieName) != cookie {
		return errors.New("this is a plugin that terraform starts: make terraform")
	}
	schema, err := schemaMessage()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "stubaws")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	listener, err := net.Listen("unix", filepath.Join(dir, "plugin"))
	if err != nil {
		return err
	}
	certificate, config, err := mutualTLS(os.Getenv("PLUGIN_CLIENT_CERT"))
	if err != nil {
		return err
	}
	stopped := make(chan struct{})
	server := &http.Server{Handler: handler(schema, func() { close(stopped) })}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(tls.NewListener(listener, config)) }()
	// The version of the handshake, that of the protocol, the address, and the certificate to expect
	// (hashicorp/go-plugin, docs/internals.md).
	fmt.Printf("1|5|unix|%s|grpc|%s\n", listener.Addr(), base64.RawStdEncoding.EncodeToString(certificate))
	select {
	case <-stopped:
		return nil
	case err := <-failed:
		return err
	}
}
