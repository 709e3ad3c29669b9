// Package emulatortest runs an [emulator.Emulator] for the length of a test.
package emulatortest

import (
	"net/http/httptest"
	"testing"

	"deployer/testbed/aws/emulator"
)

// Start runs an emulator behind a server on the loopback interface and returns it with
// the server's URL, which is meant for AWS_ENDPOINT_URL. When the test ends the server
// is closed, and the test fails if an operation was called that the emulator does not
// have.
func Start(tb testing.TB, o emulator.Options) (*emulator.Emulator, string) {
	tb.Helper()
	e := emulator.New(o)
	server := httptest.NewServer(e)
	tb.Cleanup(func() {
		server.Close()
		for _, operation := range e.UnknownOperations() {
			tb.Errorf("the emulator does not have the operation %s, which was called", operation)
		}
	})
	return e, server.URL
}
