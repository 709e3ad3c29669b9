package cli

import (
	"context"
	"fmt"
	"time"
)

// watchEvery is how long a status that is watched stands still.
const watchEvery = 2 * time.Second

// watch shows the status again and again until ctx ends: on a terminal in the
// same place, elsewhere whenever something changed.
func (c *cli) watch(ctx context.Context, b *board) error {
	on := newCanvas(c.out)
	last := ""
	for ctx.Err() == nil {
		report, err := b.patiently(ctx)
		if ctx.Err() != nil {
			break // interrupted while reading
		}
		if err != nil {
			return err
		}
		text := report.draw(on)
		switch {
		case on.terminal:
			fmt.Fprintf(on, "\x1b[H\x1b[2J%s\n%s, every %s until interrupted\n", text, time.Now().UTC().Format(time.RFC3339), watchEvery)
		case text != last:
			if last != "" {
				fmt.Fprintln(on)
			}
			fmt.Fprint(on, text)
			last = text
		}
		pause := time.NewTimer(watchEvery)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
	return nil
}

// patiently reads the status once.
func (b *board) patiently(ctx context.Context) (statusReport, error) {
	ctx, cancel := contextWithPatience(ctx)
	defer cancel()
	return b.read(ctx)
}
