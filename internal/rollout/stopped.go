package rollout

import (
	"regexp"
	"strings"
	"sync"

	"deployer/internal/outcome"
)

// imageForms match the parts of an image's reference that a journal leaves out.
var imageForms = sync.OnceValue(func() (f struct{ registry, digest *regexp.Regexp }) {
	f.registry = regexp.MustCompile(`[0-9]{12}\.dkr[.-]ecr[^/\s]*/`)
	f.digest = regexp.MustCompile(`(sha256:[0-9a-f]{12})[0-9a-f]{52}`)
	return f
})

// stoppedNote returns why tasks stopped for a journal, whose values are short: ECS's
// texts repeat the image's reference, of which the registry and most of the digest
// are left out.
func stoppedNote(reasons []string) string {
	// A tag's value has no semicolons and parentheses.
	plain := strings.NewReplacer("; ", " - ", " (", " - ", "(", "", ")", "")
	text := imageForms().registry.ReplaceAllString(plain.Replace(strings.Join(reasons, "; ")), "")
	text = imageForms().digest.ReplaceAllString(text, "$1")
	return strings.Replace(outcome.Ends(text, maxStoppedNote), "…", "...", 1)
}

// maxStoppedNote is how many characters a note has: those of a tag's value, less two for the mark.
const maxStoppedNote = 254
