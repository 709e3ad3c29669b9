package environment

import (
	"errors"
	"fmt"
	"strings"

	"deployer/internal/image"
)

// maxImage is how many characters ECS allows in an image before the digest (ContainerDefinition.image in the Amazon ECS
// API reference).
const maxImage = 255

// malformed returns what is wrong with the text of an image that is not in ECR; "" if ECS may be able to pull it.
func malformed(text string) string {
	named, digest, _ := strings.Cut(text, "@")
	if len(named) > maxImage {
		return fmt.Sprintf("it has %d characters, and ECS allows %d before the digest", len(named), maxImage)
	}
	if strings.HasPrefix(named, "[") { // an IPv6 address, which Docker's grammar allows
		return ""
	}
	sum, other := strings.CutPrefix(digest, "sha512:")
	if other && len(sum) == 128 && only(sum, digits+"abcdef") {
		text = named
	}
	_, err := image.ParseReference(text)
	var wrong *image.ReferenceError
	switch {
	case !errors.As(err, &wrong):
	case Mask(named) != named: // the part may be the secret
		return "it is an address"
	default:
		return wrong.Part
	}
	return ""
}
