package emulator_test

import "deployer/testbed/accounts"

const (
	dev  = accounts.Dev
	prod = accounts.Prod
)

const (
	devQueue    = "arn:aws:sqs:us-east-1:111111111111:events"
	prodBus     = "arn:aws:events:us-east-1:333333333333:event-bus/default"
	function    = "arn:aws:lambda:us-east-1:111111111111:function:deployer"
	deployEntry = `{"Entries":[{"Source":"action.production","DetailType":"DEPLOY","Detail":"{}"}]}`
)
