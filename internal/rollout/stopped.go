package rollout

import (
	"regexp"
	"strings"
	"sync"
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
	return imageForms().digest.ReplaceAllString(text, "$1")
}
