package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"deployer/internal/logs"
)

// printDecisions prints decisions and outcomes to out from now on.
func (l *functionLog) printDecisions(out io.Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.decisions = out
}

// print prints a text between decisions.
func (l *functionLog) print(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.decisions != nil {
		fmt.Fprint(l.decisions, text)
	}
}

// maxWhy is how many characters of a reason are printed. The log has all of it.
const maxWhy = 300

// decision returns a line for people about a line of a function's log: what was decided about an event, or how a
// rollout goes on. It returns "" for a line about something else.
func decision(env string, line []byte, at time.Time) string {
	e, ok := logs.Parse(logs.Line{At: at, Text: string(line)})
	if !ok {
		return ""
	}
	what, why := e.Decision(), e.Why()
	switch {
	case e.Outcome != "":
		what, why = strings.ToLower(strings.TrimPrefix(e.Outcome, "Deployment ")), e.Summary
	case what == "":
		return ""
	case e.Service != "":
		why = strings.TrimSpace(e.Service+" "+e.Tag) + ": " + why
	}
	return fmt.Sprintf("%s  %-8s %-11s %s", at.Format(time.TimeOnly), env, what, shorten(why))
}

// shorten returns a text as one line of at most maxWhy characters, and ends it between two words.
func shorten(text string) string {
	words := strings.Fields(text)
	for line := strings.Join(words, " "); ; line = strings.Join(words, " ") + " …" {
		if utf8.RuneCountInString(line) <= maxWhy || len(words) == 1 {
			return line
		}
		words = words[:len(words)-1]
	}
}
