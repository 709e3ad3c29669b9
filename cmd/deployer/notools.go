//go:build function

package main

// tools are left out of the function's build.
var tools []subcommand

// noCommand is what to do where a command does not exist.
const noCommand = "this is the function's build, which has only some of the commands: make build makes bin/deployer, which has all"
