// Package shell writes commands that people paste into a shell.
package shell

import "strings"

// plain are the characters of a word that bash, zsh and fish leave as it is.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"

// IsPlain reports whether a word needs no quotes. A word that begins with "=" does: zsh
// replaces it with the path of a command.
func IsPlain(word string) bool {
	return word != "" && word[0] != '=' && strings.Trim(word, plain) == ""
}

// Quote returns a word as a shell reads it, in single quotes if it needs them.
func Quote(word string) string {
	if IsPlain(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Command returns a command of the deployer: its arguments, each quoted if it needs to be.
func Command(args ...string) string {
	var b strings.Builder
	b.WriteString("deployer")
	for _, arg := range args {
		b.WriteString(" " + Quote(arg))
	}
	return b.String()
}
