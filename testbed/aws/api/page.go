package api

import (
	"encoding/base64"
	"slices"
	"strconv"
)

// A Paging is the part of a list that a request asks for.
type Paging struct {
	Token string `json:"nextToken"`
	Limit int    `json:"maxResults"`
}

// Page returns one page of a list and the token of the next page, "" after the last. The page has usual items unless
// the request asks for another number, which may be at most maxLimit.
func Page[T any](items []T, p Paging, usual, maxLimit int) (page []T, next string, err *Error) {
	start, ok := parseToken(p.Token)
	if !ok || start > len(items) {
		return nil, "", InvalidParameter("Invalid token: %s", p.Token)
	}
	if p.Limit > maxLimit {
		return nil, "", InvalidParameter("maxResults must be less than or equal to %d.", maxLimit)
	}
	limit := usual
	if p.Limit > 0 {
		limit = p.Limit
	}
	end := min(start+limit, len(items))
	if end < len(items) {
		next = base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(end)))
	}
	return slices.Clone(items[start:end]), next, nil
}

// WithToken adds the token of the next page to an answer, if there is one.
func WithToken(answer Object, next string) Object {
	if next != "" {
		answer["nextToken"] = next
	}
	return answer
}

// parseToken returns the index at which the page of a token starts. No token is the first page's.
func parseToken(token string) (index int, ok bool) {
	if token == "" {
		return 0, true
	}
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return 0, false
	}
	index, err = strconv.Atoi(string(raw))
	return index, err == nil && index >= 0
}
