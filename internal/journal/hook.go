package journal

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// Hooks is the value of a tag that says which steps of lifecycle hooks were
// reported. Ids of hooks are too long for a tag that has to hold several, so each
// step is a short hash. The zero value has none.
type Hooks string

// maxHooks is how many hashes fit into a tag: eight digits and a space each.
const maxHooks = (maxValue + 1) / 9

// Has reports whether a step of the hook with an id was reported.
func (h Hooks) Has(id, step string) bool {
	return slices.Contains(strings.Fields(string(h)), hookHash(id, step))
}

// With returns h with a step of the hook with an id. The oldest ones are dropped if
// there is no space for all.
func (h Hooks) With(id, step string) Hooks {
	all := append(strings.Fields(string(h)), hookHash(id, step))
	return Hooks(strings.Join(all[max(0, len(all)-maxHooks):], " "))
}

func hookHash(id, step string) string {
	sum := sha256.Sum256([]byte(step + " " + id))
	return fmt.Sprintf("%x", sum[:4])
}
