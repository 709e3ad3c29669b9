package rollout

import (
	"regexp"
	"strings"
)

var (
	registryHost = regexp.MustCompile(`[0-9]{12}\.dkr[.-]ecr[^/\s]*/`)
	longDigest   = regexp.MustCompile(`(sha256:[0-9a-f]{12})[0-9a-f]{52}`)
)

// stoppedNote returns why tasks stopped for a journal, whose values are short: ECS's
// texts repeat the image's reference, of which the registry and most of the digest
// are left out.
func stoppedNote(reasons []string) string {
	// A tag's value has no semicolons and parentheses.
	plain := strings.NewReplacer("; ", " - ", " (", " - ", "(", "", ")", "")
	text := registryHost.ReplaceAllString(plain.Replace(strings.Join(reasons, "; ")), "")
	return longDigest.ReplaceAllString(text, "$1")
}
