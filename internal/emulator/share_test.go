package emulator

import (
	"math/rand/v2"
	"testing"
)

func TestShareOfCalls(t *testing.T) {
	t.Parallel()
	var struck [2]int
	for run := range struck {
		f := activeFault{Fault: Fault{Operation: "*", Share: 0.25}, dice: rand.New(rand.NewPCG(0, 1))}
		for range 1000 {
			if f.strikes(&request{}) {
				struck[run]++
			}
		}
	}
	if struck[0] != struck[1] || struck[0] < 200 || struck[0] > 300 {
		t.Errorf("a quarter of 1000 calls is %d, and again %d", struck[0], struck[1])
	}
}
