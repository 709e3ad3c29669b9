package main

import (
	_ "embed"
	"path"
	"regexp"
	"strings"
)

// banned are words and phrases of prose, and what to write instead. They match whole words, in any case. "stage" is not
// among them: it is ECS's word for the steps of a service deployment.
var banned = regexp.MustCompile(`(?i)\b(` + strings.Join([]string{
	"tell", "tells", "told", "telling", "teller", "tellers", "words of", // report, reported, publisher, message
	"somebody", "nobody", "whoever", "anybody", // the caller, another tool, an external deployment, no one
	"go back", "goes back", "going back", "gone back", "went back", // roll back
	"farthest", "furthest", // max
	"house", "room", "rooms", "chamber", "theatre", "theater", "drama", "scene", "scenes", "play", "plays",
	"played", "playing", "story", "stories", "tale", "tales", "witness", "witnesses", // package, scenario, second implementation
	"what passes", "what it was before", // retryable errors; previous
}, "|") + `)\b`)

// bannedInNames are parts of identifiers, in lower case.
var bannedInNames = map[string]bool{
	"tell": true, "tells": true, "told": true, "teller": true, "somebody": true, "nobody": true, "whoever": true,
	"house": true, "room": true, "drama": true, "scene": true, "scenes": true,
	"story": true, "tale": true, "witness": true, "farthest": true, "furthest": true,
}

//go:embed exceptions.txt
var exceptionsText string

// excepted reports whether a word may be used in a file.
func excepted(file, word string) bool {
	for line := range strings.SplitSeq(exceptionsText, "\n") {
		fields := strings.Split(line, "\t")
		if len(fields) != 3 || strings.HasPrefix(line, "#") {
			continue
		}
		ok, err := path.Match(fields[1], file)
		if err == nil && ok && strings.EqualFold(fields[0], word) {
			return true
		}
	}
	return false
}
