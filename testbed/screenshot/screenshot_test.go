package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPicture draws the README's picture and compares it with the one in docs/images. UPDATE_GOLDEN=1 rewrites it.
func TestPicture(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip("the picture needs script(1) of util-linux")
	}
	got, err := draw(t.Context(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	const file = "../../docs/images/status.svg"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not current; run UPDATE_GOLDEN=1 go test ./testbed/screenshot (-want +got):\n%s", file, diff)
	}
}

func TestRow(t *testing.T) {
	t.Parallel()
	got := row("a <b>  \x1b[31mfailed\x1b[0m 2/2", 10)
	want := `<text x="20.0" y="10.0" textLength="39.0">a &lt;b&gt;</text>
<text x="74.6" y="10.0" textLength="46.8" class="r">failed</text>
<text x="129.2" y="10.0" textLength="23.4">2/2</text>
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
