package cli

import (
	"context"
	"fmt"
	"time"
)

// watchInterval is the time between two readings of a watched status.
const watchInterval = 2 * time.Second

// watch shows the status until ctx ends: on a terminal it is redrawn in place,
// elsewhere it is printed whenever something changed.
func (a *app) watch(ctx context.Context, b *board) error {
	on := b.on(a.out)
	on.utc = on.utc || !on.terminal // what is printed once must not get old
	last := ""
	for ctx.Err() == nil {
		report, err := b.read(ctx)
		if ctx.Err() != nil {
			break // interrupted while reading
		}
		if err != nil {
			return err
		}
		on.now = time.Now()
		text := b.draw(on, report)
		switch {
		case on.terminal:
			now := time.Now().UTC().Format(time.RFC3339)
			fmt.Fprintf(on, "\x1b[H\x1b[2J%s\n%s, every %s until interrupted\n", text, now, watchInterval)
		case text != last:
			if last != "" {
				fmt.Fprintln(on)
			}
			fmt.Fprint(on, text)
			last = text
		}
		pause := time.NewTimer(watchInterval)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
	return nil
}
