//go:build unix

package migrate

import (
	"os"
	"syscall"
)

// keepOwner gives f the owner and group of the file that original describes.
func keepOwner(f *os.File, original os.FileInfo) error {
	owner, ok := original.Sys().(*syscall.Stat_t)
	if !ok || int(owner.Uid) == os.Geteuid() && int(owner.Gid) == os.Getegid() {
		return nil
	}
	return f.Chown(int(owner.Uid), int(owner.Gid))
}
