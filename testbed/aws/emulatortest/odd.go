package emulatortest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/testbed/aws/emulator"
)

// OddAnswer is an answer with which a proxy, a gateway or a broken service may replace the one of AWS.
type OddAnswer struct {
	Name        string
	Status      int                      // 200 if it is 0
	ContentType string                   // as AWS's if it is ""
	Change      func(real []byte) []byte // the body
	Instead     bool                     // AWS does not get the call
	Harmless    bool                     // it says what AWS's says
}

// OddAnswers returns the answers. With all, they have what differs little too.
func OddAnswers(all bool) []OddAnswer {
	const html, gateway = "<html><body>Welcome to the proxy</body></html>", "<html>Bad Gateway</html>"
	list := []OddAnswer{
		{Name: "no members", Change: text("{}")},
		{Name: "null", Change: text("null")},
		{Name: "empty", Change: text("")},
		{Name: "a list", Change: text("[]")},
		{Name: "cut in half", Change: cut(1, 2)},
		{Name: "HTML", Change: text(html), ContentType: "text/html"},
		{Name: "HTML in its place", Change: text(html), ContentType: "text/html", Instead: true},
		{Name: "nothing in its place", Change: text(""), Instead: true},
		{Name: "HTML with status 502", Status: 502, Change: text(gateway), ContentType: "text/html"},
		{Name: "HTML with status 403", Status: 403, Change: text("<html>Forbidden</html>"), ContentType: "text/html"},
		{Name: "without its last byte", Change: cut(-1, 0)},
		{Name: "null members", Change: members(func(any) any { return nil })},
		{Name: "empty members", Change: members(emptied)},
		{Name: "null items", Change: members(func(v any) any { return items(v, nil) })},
		{Name: "empty items", Change: members(func(v any) any { return items(v, map[string]any{}) })},
		{Name: "null members of members", Change: members(withNulls)},
		{Name: "other types", Change: members(func(any) any { return 7 })},
		{Name: "numbers for texts", Change: values(func(v any) any {
			if _, ok := v.(string); ok {
				return 7
			}
			return v
		})},
	}
	if !all {
		return list
	}
	return append(list, similarAnswers()...)
}

// similarAnswers returns answers that differ little from others.
func similarAnswers() []OddAnswer {
	return []OddAnswer{
		{Name: "no members in its place", Change: text("{}"), Instead: true},
		{Name: "null in its place", Change: text("null"), Instead: true},
		{Name: "a list in its place", Change: text("[]"), Instead: true},
		{Name: "XML without members", Change: text("<a></a>"), ContentType: "text/xml"},
		{Name: "a quarter", Change: cut(1, 4)},
		{Name: "three quarters", Change: cut(3, 4)},
		{Name: "a text", Change: text(`"ok"`)},
		{Name: "a number", Change: text("7")},
		{Name: "another content type", ContentType: "text/plain", Harmless: true,
			Change: func(real []byte) []byte { return real }},
		{Name: "an empty error", Status: 500, Change: text("{}")},
		{Name: "a list of the answer", Change: func(real []byte) []byte {
			return slices.Concat([]byte("["), real, []byte("]"))
		}},
		{Name: "texts for numbers", Change: values(func(v any) any {
			if _, ok := v.(float64); ok {
				return "seven"
			}
			return v
		})},
		{Name: "texts for lists", Change: values(func(v any) any {
			if _, ok := v.([]any); ok {
				return "none"
			}
			return v
		})},
		{Name: "long", Change: func([]byte) []byte {
			return slices.Concat([]byte(`{"text":"`), bytes.Repeat([]byte("long "), 1<<18), []byte(`"}`))
		}},
	}
}

func text(body string) func([]byte) []byte { return func([]byte) []byte { return []byte(body) } }

// cut returns a change that leaves a part of a body, or with -1 all but its last byte.
func cut(part, of int) func([]byte) []byte {
	return func(real []byte) []byte {
		if part < 0 {
			return real[:max(0, len(real)-1)]
		}
		return real[:len(real)*part/of]
	}
}

// members returns a change of each member of a JSON object.
func members(change func(any) any) func([]byte) []byte {
	return func(real []byte) []byte {
		var object map[string]any
		if json.Unmarshal(real, &object) != nil {
			return []byte("{}")
		}
		for key, value := range object {
			object[key] = change(value)
		}
		text, _ := json.Marshal(object)
		return text
	}
}

// values returns a change of each value in a JSON object, at any depth.
func values(change func(any) any) func([]byte) []byte {
	var within func(any) any
	within = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				v[key] = within(value)
			}
		case []any:
			for i, value := range v {
				v[i] = within(value)
			}
		}
		return change(v)
	}
	return members(within)
}

func emptied(v any) any {
	switch v.(type) {
	case []any:
		return []any{}
	case map[string]any:
		return map[string]any{}
	}
	return ""
}

// withNulls makes the members of an object, or of a list's objects, null.
func withNulls(v any) any {
	list, _ := v.([]any)
	for _, one := range append(slices.Clone(list), v) {
		if object, ok := one.(map[string]any); ok {
			for key := range object {
				object[key] = nil
			}
		}
	}
	return v
}

// items replaces the items of a list, if v is one.
func items(v, by any) any {
	list, _ := v.([]any)
	for i := range list {
		list[i] = by
	}
	return v
}

// Odd is an HTTP client for the SDK that replaces the answers to one operation. It is safe for concurrent use.
type Odd struct {
	AWS    *emulator.Emulator
	Client aws.HTTPClient // nil for [InProcess]

	mu        sync.Mutex
	operation string // "" for none
	answer    OddAnswer
	replaced  int
	unnamed   []string
}

// Replace makes the client replace the answers to an operation, such as "ecs:DescribeServices"; to none if it is "".
func (o *Odd) Replace(operation string, by OddAnswer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.operation, o.answer, o.replaced = operation, by, 0
}

// Seen returns how many answers were replaced since, and the requests so far that called no known operation.
func (o *Odd) Seen() (replaced int, unnamed []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.replaced, o.unnamed
}

// odd returns the answer that replaces the one to a request.
func (o *Odd) odd(r *http.Request) (OddAnswer, bool) {
	name := o.AWS.OperationOf(r)
	o.mu.Lock()
	defer o.mu.Unlock()
	if name == "" {
		o.unnamed = append(o.unnamed, r.Method+" "+r.URL.Path+" "+r.Header.Get("X-Amz-Target"))
	}
	return o.answer, name != "" && name == o.operation
}

// Do implements [aws.HTTPClient]. Errors of AWS are not replaced.
func (o *Odd) Do(r *http.Request) (response *http.Response, err error) {
	odd, replaced := o.odd(r)
	switch {
	case replaced && odd.Instead:
		response = &http.Response{StatusCode: http.StatusOK, Status: "200 OK", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{}, Body: http.NoBody, Request: r}
	case o.Client != nil:
		response, err = o.Client.Do(r)
	default:
		response, err = InProcess{AWS: o.AWS}.Do(r)
	}
	if err != nil || !replaced || response.StatusCode != http.StatusOK {
		return response, err
	}
	real, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	o.replaced++
	o.mu.Unlock()
	body := odd.Change(real)
	if odd.Status != 0 {
		response.StatusCode, response.Status = odd.Status, fmt.Sprint(odd.Status, " ", http.StatusText(odd.Status))
	}
	if odd.ContentType != "" {
		response.Header.Set("Content-Type", odd.ContentType)
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	response.Header.Del("X-Amz-Crc32")
	return response, nil
}

// Operations returns the operations of calls that succeeded, such as "ecs:DescribeServices", each once.
func Operations(calls []emulator.Call) (all []string) {
	for _, c := range calls {
		if name := c.Service + ":" + c.Operation; c.Error == "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}
