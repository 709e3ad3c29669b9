//go:build !unix

package migrate

import "os"

// keepOwner does nothing: a new file gets its owner and access list from its
// directory, and [os.File.Chown] is not supported.
func keepOwner(*os.File, os.FileInfo) error { return nil }
