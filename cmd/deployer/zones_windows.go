package main

// Windows has no database of time zones in Go's form: without it, the next run of a schedule would not be known.
import _ "time/tzdata"
