package emulator

import (
	"encoding/base64"
	"slices"
	"strconv"
)

// A paging says which part of a list a request wants.
type paging struct {
	Token string `json:"nextToken"`
	Limit int    `json:"maxResults"`
}

// page cuts one page out of a list and returns the token of the next one. A token is
// the place its page starts at; usual is the size when the request gives no limit.
func page[T any](items []T, p paging, usual, most int) ([]T, string, *Error) {
	start, ok := parseToken(p.Token)
	if !ok || start > len(items) {
		return nil, "", errInvalidParameter("Invalid token: %s", p.Token)
	}
	if p.Limit > most {
		return nil, "", errInvalidParameter("maxResults must be less than or equal to %d.", most)
	}
	limit := usual
	if p.Limit > 0 {
		limit = p.Limit
	}
	end := min(start+limit, len(items))
	next := ""
	if end < len(items) {
		next = base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(end)))
	}
	return slices.Clone(items[start:end]), next, nil
}

// parseToken reads a token. No token is the first page's.
func parseToken(token string) (place int, ok bool) {
	if token == "" {
		return 0, true
	}
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return 0, false
	}
	place, err = strconv.Atoi(string(raw))
	return place, err == nil && place >= 0
}
