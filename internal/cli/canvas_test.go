package cli

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMoment checks how times are shown.
func TestMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC)
	for want, at := range map[string]time.Time{
		"":         {},
		"0 s ago":  now,
		"59 s ago": now.Add(-59 * time.Second),
		"1 m ago":  now.Add(-119 * time.Second),
		"59 m ago": now.Add(-59 * time.Minute),
		"47 h ago": now.Add(-47 * time.Hour),
		"2 d ago":  now.Add(-49 * time.Hour),
		"in 5 m":   now.Add(5 * time.Minute),
	} {
		if got := (canvas{now: now}).moment(at); got != want {
			t.Errorf("%s: %q, want %q", at, got, want)
		}
	}
	if got := (canvas{utc: true}).moment(now); got != "2026-01-22T10:15:30Z" {
		t.Errorf("in UTC: %q", got)
	}
}

// TestTable checks that a table fits: optional columns are left out, then long cells cut.
func TestTable(t *testing.T) {
	t.Parallel()
	all := table{optional: []string{"DIGEST"}, free: true}
	all.head("SERVICE", "DIGEST", "TAG", "REASON")
	all.add(cell{text: "backend"}, cell{text: "586b4f8152ed"}, cell{text: "env-staging-20260122101530"},
		cell{text: "a reason with many words"})
	all.add(cell{text: "web"}, cell{text: "error: what is wrong with it, in a row with fewer cells"})
	for _, tt := range []struct {
		columns int
		want    string
	}{
		{0, `SERVICE  DIGEST        TAG                         REASON
backend  586b4f8152ed  env-staging-20260122101530  a reason with many words
web      error: what is wrong with it, in a row with fewer cells
`},
		{75, `SERVICE  DIGEST        TAG                         REASON
backend  586b4f8152ed  env-staging-20260122101530  a reason with many words
web      error: what is wrong with it, in a row with fewer cells
`},
		{70, `SERVICE  TAG                         REASON
backend  env-staging-20260122101530  a reason with many words
web      error: what is wrong with it, in a row with fewer cells
`},
		{55, `SERVICE  TAG                         REASON
backend  env-staging-20260122101530  a reason with man…
web      error: what is wrong with it, in a row with f…
`},
		{40, `SERVICE  TAG             REASON
backend  env-staging-2…  a reason with …
web      error: what is wrong with it, …
`},
	} {
		if diff := cmp.Diff(tt.want, all.draw(canvas{columns: tt.columns})); diff != "" {
			t.Errorf("%d columns: %s", tt.columns, diff)
		}
	}
}

// TestTableWhole checks that the column that is copied is not cut, and that a table knows
// whether something is.
func TestTableWhole(t *testing.T) {
	t.Parallel()
	for columns, cut := range map[int]bool{0: false, 80: false, 40: true} {
		one := table{whole: []string{"EVENT"}, free: true}
		one.head("EVENT", "TAG", "REASON")
		one.add(cell{text: "866228b7-1111-4a"}, cell{text: "git-abc123f"}, cell{text: "a reason with many words"})
		c := canvas{columns: columns, cuts: &cuts{}}
		if text := one.draw(c); !strings.Contains(text, "866228b7-1111-4a ") || c.cuts.cells != cut {
			t.Errorf("%d columns: cut %t:\n%s", columns, c.cuts.cells, text)
		}
	}
}

// TestTableBelow checks where the texts of the last column stand on narrow terminals, and what is left out there.
func TestTableBelow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		columns    int
		want, left string
	}{
		{0, `WHEN     EVENT  TAG  STATUS          WHY
1 m ago  e1     v1   failed 3 times  the role may not read images of the other account
2 m ago  e2     v2   deployed        none
3 m ago  e3     v3   unchanged       -
4 m ago  error: a row with fewer cells
`, ""},
		{56, `WHEN     EVENT  TAG  STATUS          WHY
1 m ago  e1     v1   failed 3 times  the role may not r…
2 m ago  e2     v2   deployed        none
3 m ago  e3     v3   unchanged       -
4 m ago  error: a row with fewer cells
`, ""},
		{48, `WHEN     EVENT  TAG  STATUS
1 m ago  e1     v1   failed 3 times
  why: the role may not read images of the other
  account
2 m ago  e2     v2   deployed
3 m ago  e3     v3   unchanged
4 m ago  error: a row with fewer cells
`, ""},
		{30, `WHEN     EVENT  STATUS
1 m ago  e1     failed 3 times
  why: the role may not read
  images of the other account
2 m ago  e2     deployed
3 m ago  e3     unchanged
4 m ago  error: a row with fe…
`, "TAG"},
		{24, `EVENT  STATUS
e1     failed 3 times
  why: the role may not
  read images of the ot…
e2     deployed
e3     unchanged
error: a row with fewer…
`, "TAG WHEN"},
		{1, `EVENT  …
e1     …
  w
  …
e2     …
e3     …
…
`, "TAG WHEN"},
	} {
		one := table{whole: []string{"STATUS"}, free: true,
			below: &below{least: 16, leave: []string{"TAG", "WHEN"}, label: "why: ", none: "none"}}
		one.head("WHEN", "EVENT", "TAG", "STATUS", "WHY")
		one.add(cell{text: "1 m ago"}, cell{text: "e1"}, cell{text: "v1"}, cell{text: "failed 3 times"},
			cell{text: "the role may not read images of the other account"})
		one.add(cell{text: "2 m ago"}, cell{text: "e2"}, cell{text: "v2"}, cell{text: "deployed"}, cell{text: "none"})
		one.add(cell{text: "3 m ago"}, cell{text: "e3"}, cell{text: "v3"}, cell{text: "unchanged"}, cell{})
		one.add(cell{text: "4 m ago"}, cell{text: "error: a row with fewer cells"})
		c := canvas{columns: tt.columns, cuts: &cuts{}}
		if diff := cmp.Diff(tt.want, one.draw(c)); diff != "" {
			t.Errorf("%d columns (-want +got):\n%s", tt.columns, diff)
		}
		if left := strings.Join(c.cuts.left, " "); left != tt.left {
			t.Errorf("%d columns: without %q, want %q", tt.columns, left, tt.left)
		}
	}
}

// TestBroken checks where long texts are broken and cut, also those without a space.
func TestBroken(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want []string
		cut  bool
	}{
		{"", []string{""}, false},
		{"ten chars.", []string{"ten chars."}, false},
		{"two lines here", []string{"two lines", "here"}, false},
		{"0123456789abc", []string{"0123456789", "abc"}, false},
		{"a 0123456789abc", []string{"a", "012345678…"}, true},
		{"äöü äöü äöü", []string{"äöü äöü", "äöü"}, false},
	} {
		c := canvas{cuts: &cuts{}}
		if got := c.broken(tt.text, 10, 2); !slices.Equal(got, tt.want) || c.cuts.cells != tt.cut {
			t.Errorf("%q: %q, cut %t", tt.text, got, c.cuts.cells)
		}
	}
}

// TestWrap checks where long lines are broken.
func TestWrap(t *testing.T) {
	t.Parallel()
	const want = "one two\n  three\n  four\nfive\n"
	if got := (canvas{columns: 8}).wrap("one two three four\nfive\n"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestItem checks how a text is broken where the terminal ends, and that a command at its
// end stays whole.
func TestItem(t *testing.T) {
	t.Parallel()
	const command = "deployer history -f prod.yaml backend"
	for _, tt := range []struct{ name, text, want string }{
		{"it fits", "a short  text", "web: a short  text\n"},
		{"it is broken", "a text that has too many words for it", "web: a text that has too many\n  words for it\n"},
		{"a long word", "see arn:aws:ecs:us-east-1:111111111111:cluster/c now",
			"web: see\n  arn:aws:ecs:us-east-1:111111111111:cluster/c\n  now\n"},
		{"a command at the end", "look at it: " + command, "web: look at it:\n  " + command + "\n"},
		{"a command alone", command + " --max 5", "web: " + command + " --max 5\n"},
		{"a command in parentheses", "not found (look at it: " + command + ")",
			"web: not found; look at it:\n  " + command + "\n"},
		{"two commands in parentheses", "no (to undo it: " + command + " --to 5; to take revision 1, which is " +
			"old: " + command + " --to 1)",
			"web: no; to undo it:\n  " + command + " --to 5\n  to take revision 1, which is\n  old:\n  " + command +
				" --to 1\n"},
		{"JSON at the end", `add to the policy: {"Effect":"Allow","Principal":"*"}`,
			"web: add to the policy:\n  {\"Effect\":\"Allow\",\"Principal\":\"*\"}\n"},
		{"a word that is a command's too", "this is what a deployer does to find images",
			"web: this is what a deployer\n  does to find images\n"},
	} {
		if got := (canvas{columns: 32}).item("web: ", tt.text, 2); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := (canvas{}).item("web: ", "not cut: "+command, 2); got != "web: not cut: "+command+"\n" {
		t.Errorf("without a width: %q", got)
	}
}
