package function

import (
	"bytes"
	"log/slog"
)

// runtimeLog receives what the runtime's client writes to the standard
// library's log. The client repeats each error that it returns, without the
// request's id; those lines are dropped, because the handler has logged them.
// The others are about the runtime itself.
type runtimeLog struct{}

func (runtimeLog) Write(line []byte) (int, error) {
	if !bytes.HasPrefix(line, []byte(`{"errorMessage":`)) {
		slog.Error("runtime error", "error", string(bytes.TrimSpace(line)))
	}
	return len(line), nil
}
