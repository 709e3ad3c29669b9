package ecsdeploy

import (
	"fmt"

	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/image"
)

// needs returns the platform that the image of the order must be built for. Moves is false
// if the order leaves the service at the image that it runs.
func (s *State) needs(o Order) (want image.Platform, moves bool) {
	same := !o.Force && s.target.Identity(s.running) == ecsservice.IdentityOf(o.Image)
	return ecsservice.PlatformOf(s.service, s.base().TaskDefinition), !same
}

// NeedsPlatform reports whether the image's platform has to be read first: the order would move
// the service to an image whose manifest does not say whether it is built for the platform of
// the service's tasks. If the tasks' platform is not known either, it is linux/amd64.
func (s *State) NeedsPlatform(o Order) bool {
	want, moves := s.needs(o)
	return moves && o.Manifest.Fits(want) != image.FitsNot && o.Manifest.Fits(want.OrDefault()) == image.FitUnknown
}

// checkPlatform returns a fault if the order would move the service to an image that is
// built for other platforms than the one its tasks run on.
func (s *State) checkPlatform(o Order) error {
	want, moves := s.needs(o)
	if !moves || o.Manifest.Fits(want) != image.FitsNot {
		return nil
	}
	doing := fmt.Sprintf("deploying tag %q to %s", o.Image.Tag, s.target)
	build := want.OrDefault() // what docker buildx build accepts
	if want.IsAny() {
		return fault.Rejected(fault.ErrPlatform, doing,
			fmt.Errorf("the image is built for %s, which nothing in ECS can run", o.Manifest.PlatformNames()),
			fmt.Sprintf("build it for the platform of the container instances, such as %s (docker buildx build "+
				"--platform %s)", build, build))
	}
	why := fmt.Errorf("the image is built for %s, and the tasks run on %s", o.Manifest.PlatformNames(), want.Name())
	unversioned := want
	unversioned.OSVersion = ""
	if o.Manifest.Fits(unversioned) == image.Fits { // only the version of Windows differs
		return fault.Rejected(fault.ErrPlatform, doing, why,
			fmt.Sprintf("build it from a base image of Windows %s, because a host does not run images of a newer "+
				"Windows, or change operatingSystemFamily of task definition family %q in the infrastructure",
				want.OSVersion, s.familyName))
	}
	return fault.Rejected(fault.ErrPlatform, doing, why,
		fmt.Sprintf("build it for %s as well (docker buildx build --platform %s), or change runtimePlatform of task "+
			"definition family %q in the infrastructure", build, build, s.familyName))
}

// PlatformNote returns a note on an image that is deployed although the service's tasks may not be able to run it.
// There are three such images: an index that does not name the platforms of all its images; an image without
// linux/amd64 where the tasks run on container instances and the task definition has no runtimePlatform, so that the
// instances may be of any platform; and one that is built for an older version of Windows than that of the tasks. It is
// "" for every other image, and for a single one whose configuration was not read.
func (s *State) PlatformNote(o Order) string {
	want, moves := s.needs(o)
	if !moves || o.Manifest.Fits(want) == image.FitsNot {
		return ""
	}
	switch fit := o.Manifest.Fits(want.OrDefault()); {
	case fit == image.FitDoubtful:
		return fmt.Sprintf("; whether its tasks can run was not checked: the image is built for %s, and they run on "+
			"%s, whose hosts run older images under Hyper-V isolation only, or those of Windows Server 2022 from 2025 "+
			"on", o.Manifest.PlatformNames(), want.Name())
	case fit == image.FitUnknown && o.Manifest.Config == "":
		return "; the image's platform was not checked: its manifest does not name the platform of each image"
	case fit == image.FitsNot:
		return fmt.Sprintf("; whether its tasks can run was not checked: the image is built for %s, and task "+
			"definition family %q has no runtimePlatform that says so", o.Manifest.PlatformNames(), s.familyName)
	}
	return ""
}
