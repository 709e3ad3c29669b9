package cli

import (
	"deployer/internal/fleet"
	"deployer/internal/promote"
)

// promotion is what promote prints with --json.
type promotion struct {
	Service string `json:"service"`
	From    string `json:"from"` // the environments
	To      string `json:"to"`
	// Status is that of the copy, or with --deploy that of the event: "sent", with --follow the
	// end of the rollout, or "not sent".
	Status     string       `json:"status"`
	Copy       string       `json:"copy"` // "promoted", "unchanged", or of a dry run "planned"
	Registry   string       `json:"registry"`
	Repository string       `json:"repository"`
	Tag        string       `json:"tag"`
	Digest     string       `json:"digest"`
	Before     string       `json:"before,omitempty"` // the digest that had the tag
	Manifests  int          `json:"manifests"`        // that were copied, or would be
	Blobs      int          `json:"blobs"`
	Bytes      int64        `json:"bytes"`
	Event      *sentEvent   `json:"event,omitempty"` // with --deploy
	Error      *fleet.Error `json:"error,omitempty"` // why the event was not sent
}

// promotionOf returns a copy as plain data.
func promotionOf(p *promote.Plan, from, to *end, dryRun bool) promotion {
	status := copyStatus(p, dryRun)
	return promotion{Service: to.workload.Label(), From: from.env.Name, To: to.env.Name, Status: status, Copy: status,
		Registry: p.To.Registry.Host(), Repository: p.To.Repository, Tag: p.Tag, Digest: p.Digest, Before: p.Moves,
		Manifests: len(p.Manifests), Blobs: p.Blobs, Bytes: p.Bytes}
}

// copyStatus returns what became of a copy.
func copyStatus(p *promote.Plan, dryRun bool) string {
	switch {
	case p.Done():
		return "unchanged"
	case dryRun:
		return "planned"
	}
	return "promoted"
}

// deployed adds the event, or why it was not sent.
func (p *promotion) deployed(event sentEvent, err error) {
	if event.Status == "" {
		p.Status, p.Error = notSent, errorOf(err)
		return
	}
	p.Status, p.Event = event.Status, &event
}
