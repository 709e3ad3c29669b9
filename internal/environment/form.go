package environment

import "strings"

// The forms of names are checked by hand: regular expressions would be compiled at each
// cold start of the function.
const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// only reports whether s is not empty and has no other characters than those of chars.
func only(s, chars string) bool { return s != "" && strings.TrimLeft(s, chars) == "" }
