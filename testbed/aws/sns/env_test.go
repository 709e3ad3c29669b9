package sns_test

import (
	"testing"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const (
	dev  = accounts.Dev
	prod = accounts.Prod
)

// An env is an emulator that a test calls.
type env struct{ *emulatortest.Env }

func newEnv(t *testing.T, o emulator.Options) *env {
	t.Helper()
	return &env{emulatortest.New(t, o)}
}
