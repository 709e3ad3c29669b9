//go:build slow

package main

const everyDeath = true
