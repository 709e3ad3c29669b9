package migrate

import (
	"fmt"
	"strings"
	"testing"
)

// TestSecretsAreNotPrinted puts a webhook where no line can be added because of it.
func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	const head = "project: p\nenv: dev\nregion: us-east-1\n"
	const secret = "https://hooks.slack.com/services/T0SECRET/B0SECRET/xSECRETx"
	for _, in := range []string{
		head + "x: *" + secret, head + "x: &" + secret + " a\ny: *" + secret, head + "x: !" + secret + " y",
		head + "x: !<" + secret + "> y", "%TAG ! " + secret + "\n---\n" + head, "%" + secret + "\n---\n" + head,
		head + "? {" + secret + ": x}\n: y\n", head + "'" + secret + "': 1\n'" + secret + "': 2\n",
		head + "x: {" + secret, head + "x: [" + secret, head + "x: \"" + secret, head + secret + ": x: y",
		head + "x: |9" + secret, head + "---\n" + secret, "{project: p, env: dev, x: " + secret + "}",
		"project: p\nenv: " + secret + "\n", "project: p\nenv: [" + secret + "]\n", head + "<<: *" + secret,
		head + "ecr_strategy: " + secret, head + "account_id: " + secret, head + "ecr_account_id: " + secret,
		"project: p\nenv: " + secret + "\nschema_version: 6\n", "project: p\nenv: *" + secret + "\n",
	} {
		change, err := Plan("x.yaml", []byte(in))
		if said := fmt.Sprint(change.Notes, err); strings.Contains(said, "SECRET") {
			t.Errorf("%s:\n%s", in, said)
		}
	}
}
