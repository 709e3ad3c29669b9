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

// NeedsPlatform reports whether the order would move the service to an image of which
// it is not known whether it is built for the platform of the service's tasks: for linux/amd64, if
// that platform is not known either.
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
	if want == (image.Platform{}) {
		return fault.Rejected(fault.ErrPlatform, doing,
			fmt.Errorf("the image is built for %s, which nothing in ECS can run", o.Manifest.PlatformNames()),
			fmt.Sprintf("build it for the platform of the container instances, such as %s (docker buildx build "+
				"--platform %s)", build, build))
	}
	return fault.Rejected(fault.ErrPlatform, doing,
		fmt.Errorf("the image is built for %s, and the tasks run on %s", o.Manifest.PlatformNames(), want),
		fmt.Sprintf("build it for %s as well (docker buildx build --platform %s), or change runtimePlatform of task "+
			"definition family %q in the infrastructure", build, build, s.familyName))
}

// PlatformNote returns a note on an image that the service's tasks may not be able to run, and that is deployed all the
// same. Either its index does not name the platforms of all its images; or it is one without linux/amd64, on container
// instances, with a task definition that has no runtimePlatform: such instances may be of any platform. It is "" for
// every other image, and for a single one whose configuration was not read.
func (s *State) PlatformNote(o Order) string {
	want, moves := s.needs(o)
	if !moves || o.Manifest.Fits(want) == image.FitsNot {
		return ""
	}
	switch fit := o.Manifest.Fits(want.OrDefault()); {
	case fit == image.FitUnknown && o.Manifest.Config == "":
		return "; the image's platform was not checked: its manifest does not name the platform of each image"
	case fit == image.FitsNot:
		return fmt.Sprintf("; whether its tasks can run was not checked: the image is built for %s, and task "+
			"definition family %q has no runtimePlatform that says so", o.Manifest.PlatformNames(), s.familyName)
	}
	return ""
}
