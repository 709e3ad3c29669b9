package logs

import (
	"context"
	"time"

	"deployer/internal/fault"
)

// maxEmpty is how many answers without lines are read: an answer may be empty although there
// are lines (CloudWatch Logs API reference, "GetLogEvents").
const maxEmpty = 5

// Last returns at most the given number of the last lines of a stream, the oldest first. It
// calls logs:GetLogEvents. Its errors are faults.
func (r *Reader) Last(ctx context.Context, stream string, limit int) (lines []Line, err error) {
	in := struct {
		Group  string `json:"logGroupName"`
		Stream string `json:"logStreamName"`
		Limit  int    `json:"limit"`
		Token  string `json:"nextToken,omitempty"`
	}{Group: r.group, Stream: stream, Limit: limit}
	for range maxEmpty {
		var out struct {
			Events []struct {
				At   int64  `json:"timestamp"`
				Text string `json:"message"`
			} `json:"events"`
			Before string `json:"nextBackwardToken"`
		}
		if err := r.client.JSON(ctx, "logs", "Logs_20140328.GetLogEvents", "reading log group "+r.group, in,
			&out); err != nil {
			return nil, err
		}
		if out.Events == nil { // without lines, CloudWatch Logs returns an empty list
			return nil, fault.Incomplete("reading log group "+r.group, "list of lines")
		}
		for _, e := range out.Events {
			lines = append(lines, Line{time.UnixMilli(e.At).UTC(), e.Text})
		}
		if len(lines) > 0 || out.Before == in.Token || out.Before == "" {
			break
		}
		in.Token = out.Before
	}
	return lines, nil
}
