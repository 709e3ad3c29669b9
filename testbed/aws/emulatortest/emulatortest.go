// Package emulatortest runs an [emulator.Emulator] for the duration of a test, and makes calls to it.
package emulatortest

import (
	"net/http/httptest"
	"testing"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
)

// Start runs an emulator until the test ends, and returns it with the URL for AWS_ENDPOINT_URL. The test fails if an
// operation was called that the emulator does not have.
func Start(tb testing.TB, o emulator.Options) (*emulator.Emulator, string) {
	tb.Helper()
	e := emulator.New(o)
	server := httptest.NewServer(e)
	end := accounts.Serve(server.URL, e)
	tb.Cleanup(func() {
		end()
		server.Close()
		for _, operation := range e.UnknownOperations() {
			tb.Errorf("the emulator does not have the operation %s, which was called", operation)
		}
	})
	return e, server.URL
}
