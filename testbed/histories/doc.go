// Package histories runs random histories of one environment in fake time: the function's real pipeline on emulated AWS
// in memory, with duplicated, late and shuffled events, invocations that die between two calls, and people and tools
// that act on the same services. Each history ends with checks of what has to be true whatever happened, see [Problem].
//
// A history is a list of actions. A seed determines it completely: the same seed gives the same calls in the same order
// at the same times, so that a failing history can be repeated and shrunk.
package histories
