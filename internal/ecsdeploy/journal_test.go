package ecsdeploy

import (
	"strings"
	"testing"

	"deployer/internal/ecsdeploy/converge"
)

func TestBestValue(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]converge.Key{
		"":                                  {},
		"12@2026-01-22T10:15:30Z":           {Number: 12, Time: eventTime.UnixNano()},
		"12@2026-01-22T10:15:30.000000005Z": {Number: 12, Time: eventTime.UnixNano() + 5},
		"12":                                {},
		"@2026-01-22T10:15:30Z":             {},
		"-1@2026-01-22T10:15:30Z":           {},
		"12@yesterday":                      {},
	} {
		if got := parseBest(value); got != want {
			t.Errorf("parseBest(%q) = %v, want %v", value, got, want)
		}
		if want != (converge.Key{}) && bestValue(want) != value {
			t.Errorf("bestValue(%v) = %q, want %q", want, bestValue(want), value)
		}
	}
}

// FuzzJournal holds the codec of the journal's tags: what it writes, AWS takes
// and it reads back; what it cannot read is nobody's key.
func FuzzJournal(f *testing.F) {
	f.Add("because \"of\" it", 12, int64(1769076930000000000))
	f.Add("12@2026-01-22T10:15:30Z", 1, int64(0))
	f.Add(strings.Repeat("é", 300), -1, int64(-1))
	f.Fuzz(func(t *testing.T, s string, number int, at int64) {
		value := TagValue(s)
		if len(value) > 256 || value != TagValue(value) {
			t.Errorf("TagValue(%q) = %q", s, value)
		}
		for _, r := range value {
			if r > 127 || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 +-=._:/@", r) {
				t.Errorf("TagValue(%q) has %q, which AWS refuses", s, r)
			}
		}
		key := converge.Key{Number: number, Time: at}
		if number > 0 && at >= 0 {
			if got := parseBest(bestValue(key)); got != key {
				t.Errorf("parseBest(%q) = %v, want %v", bestValue(key), got, key)
			}
		}
		if got := parseBest(s); got != (converge.Key{}) && parseBest(bestValue(got)) != got {
			t.Errorf("parseBest(%q) = %v, which is not read back", s, got)
		}
	})
}
