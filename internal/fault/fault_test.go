package fault

import (
	"errors"
	"testing"
)

// TestAdding says more about operations: class, name and hint stay.
func TestAdding(t *testing.T) {
	t.Parallel()
	cause := errors.New("no")
	for _, tt := range []struct {
		err  error
		want string
		is   func(error) bool
	}{
		{Rejected(ErrImageNotFound, "looking", cause, "push it"), "looking, twice: no (push it)", IsRejected},
		{Misconfigured(ErrAccessDenied, "moving", cause, ""), "moving, twice: no", IsMisconfigured},
		{Unavailable(ErrIncompleteAnswer, "reading", cause, ""), "reading, twice: no", IsUnavailable},
		{cause, "no", func(err error) bool { return !IsRejected(err) && !IsMisconfigured(err) && !IsUnavailable(err) }},
	} {
		got := Adding(tt.err, ", twice")
		if got.Error() != tt.want || !tt.is(got) || NameOf(got) != NameOf(tt.err) || !errors.Is(got, cause) {
			t.Errorf("%T %s: %v, want %s", got, NameOf(got), got, tt.want)
		}
	}
}
