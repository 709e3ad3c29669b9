package journal

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// Steps is the value of a tag that says which steps of lifecycle hooks and of
// external rollouts were reported. Their ids are too long for a tag that has to hold
// several, so each step is a short hash. The zero value has none.
type Steps string

// maxSteps is how many hashes fit into a tag: eight digits and a space each.
const maxSteps = (maxValue + 1) / 9

// Has reports whether a step of the hook or rollout with an id was reported.
func (s Steps) Has(id, step string) bool {
	return slices.Contains(strings.Fields(string(s)), stepHash(id, step))
}

// With returns h with a step of the hook or rollout with an id. The oldest ones are dropped if
// there is no space for all.
func (s Steps) With(id, step string) Steps {
	all := append(strings.Fields(string(s)), stepHash(id, step))
	return Steps(strings.Join(all[max(0, len(all)-maxSteps):], " "))
}

func stepHash(id, step string) string {
	sum := sha256.Sum256([]byte(step + " " + id))
	return fmt.Sprintf("%x", sum[:4])
}
