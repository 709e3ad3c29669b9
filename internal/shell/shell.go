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

// Line returns a command line of words, each quoted if it needs to be.
func Line(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = Quote(word)
	}
	return strings.Join(quoted, " ")
}

// Command returns a command of the deployer with its arguments, as [Line] does.
func Command(args ...string) string { return Line(append([]string{"deployer"}, args...)...) }
