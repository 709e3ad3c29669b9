package emulator_test

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

const (
	devQueue    = "arn:aws:sqs:us-east-1:111111111111:events"
	prodBus     = "arn:aws:events:us-east-1:333333333333:event-bus/default"
	function    = "arn:aws:lambda:us-east-1:111111111111:function:deployer"
	deployEntry = `{"Entries":[{"Source":"action.production","DetailType":"DEPLOY","Detail":"{}"}]}`
)
