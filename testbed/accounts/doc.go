// Package accounts sets up AWS accounts for tests: repositories with images, clusters with services. It calls AWS's own
// API, so the same set-up runs against the emulator and against any other implementation of AWS, such as moto_server.
//
//	dev := accounts.Connect(url, accounts.Dev, accounts.Region)
//	digest, err := dev.Push(ctx, "myproject_backend", "backend v1", "v1")
package accounts

// The accounts and the region that tests use.
const (
	Dev     = "111111111111"
	Staging = "222222222222"
	Prod    = "333333333333"
	Region  = "us-east-1"
)
