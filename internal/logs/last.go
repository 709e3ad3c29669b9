package logs

import "context"

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
		answer, err := r.read(ctx, "GetLogEvents", in)
		if err != nil {
			return nil, err
		}
		lines = answer.lines()
		if len(lines) > 0 || answer.Before == in.Token || answer.Before == "" {
			break
		}
		in.Token = answer.Before
	}
	return lines, nil
}
