// Package api is what the emulated AWS services share: the request and its caller, permissions, errors, paging, events,
// and the encoding of answers. A service is a type with its own state that returns its [Operations]; package emulator
// assembles the services and serves them over HTTP.
package api
