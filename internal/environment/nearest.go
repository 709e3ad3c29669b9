package environment

import "strings"

// Nearest returns the first word that is exactly one edit away from s, or differs from
// it only in the case of letters, hyphens and underscores, or "". An
// edit adds, removes or replaces one byte, or swaps two neighbors.
func Nearest(s string, words []string) string {
	for _, w := range words {
		if oneEdit(s, w) || s != w && sameLetters(s, w) {
			return w
		}
	}
	return ""
}

// separators are what names of the same letters may differ in, besides case.
var separators = strings.NewReplacer("-", "", "_", "")

// sameLetters reports whether two names differ only in case, hyphens and underscores: scheduledTasks, scheduled-tasks.
func sameLetters(a, b string) bool {
	return strings.EqualFold(separators.Replace(a), separators.Replace(b))
}

func oneEdit(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if a == b || len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
