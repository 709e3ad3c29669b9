package emulatortest

import "deployer/testbed/accounts"

// InProcess is [accounts.InProcess]. Tests on fake time need it (see [testing/synctest]): fake time stands still while
// a goroutine waits for a connection.
type InProcess = accounts.InProcess
