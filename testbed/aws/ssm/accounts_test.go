package ssm_test

import "deployer/testbed/accounts"

const (
	dev  = accounts.Dev
	prod = accounts.Prod
)
