package cloudformation

import (
	"fmt"
	"sync"
)

// loaded are the templates that [LoadOnce] has loaded, by their text and parameters.
var loaded sync.Map

// LoadOnce is [Load] for a template that is used often: with the same text and parameters it returns the same template.
// Loading one takes a few milliseconds, and most test environments of a process have the same stacks.
func LoadOnce(data []byte, p Parameters) (*Template, error) {
	key := fmt.Sprintf("%s\n%+v", data, p)
	if t, ok := loaded.Load(key); ok {
		return t.(*Template), nil
	}
	t, err := Load(data, p)
	if err == nil {
		loaded.Store(key, t)
	}
	return t, err
}
