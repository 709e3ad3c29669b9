package resolve

import (
	"context"

	"golang.org/x/sync/singleflight"
)

// shared makes equal calls once that are made at the same time: one push may deploy
// hundreds of services of one image. The zero value is ready to use.
type shared[V any] struct{ calls singleflight.Group }

// do returns the result of call, or that of an equal call in progress. If the context of
// that one ended, and ctx has not, do makes the call.
func (s *shared[V]) do(ctx context.Context, key string, call func() (V, error)) (V, error) {
	type result struct {
		value V
		ended bool
	}
	made, err, _ := s.calls.Do(key, func() (any, error) {
		value, err := call()
		return result{value, ctx.Err() != nil}, err
	})
	r := made.(result)
	if err != nil && r.ended && ctx.Err() == nil {
		return call()
	}
	return r.value, err
}
