package image

import (
	"strconv"
	"strings"
)

// onWindows reports whether a Windows host runs an image that is built for another version of
// Windows. A container shares the host's kernel. Under process isolation, which is the
// default, the builds must be equal, such as 17763 of "10.0.17763.5329"; hosts from Windows
// Server 2025 on also run images of 2022. Hyper-V isolation runs all older images. Neither
// runs an image that is newer than the host (Microsoft, "Windows container version
// compatibility"; hcsshim, osversion.CheckHostAndContainerCompat). AWS does not document the
// isolation of its hosts, so an older image is in doubt. The result is Fits if either
// version is not known.
func onWindows(host, image string) Fit {
	hostMajor, hostBuild, known := buildOf(host)
	major, build, alsoKnown := buildOf(image)
	switch {
	case !known, !alsoKnown, hostMajor != major, build == hostBuild:
		return Fits
	case build > hostBuild:
		return FitsNot
	}
	return FitDoubtful
}

// buildOf returns the major and minor version and the build of a version of Windows, such as
// "10.0" and 17763. Known is false if it has no build.
func buildOf(version string) (major string, build int, known bool) {
	parts := strings.Split(version, ".")
	if len(parts) < 3 {
		return "", 0, false
	}
	build, err := strconv.Atoi(parts[2])
	return parts[0] + "." + parts[1], build, err == nil && build > 0
}
