package logs

import (
	"strconv"

	"deployer/testbed/aws/api"
)

type getLogEventsInput struct {
	Group    string `json:"logGroupName"`
	Stream   string `json:"logStreamName"`
	FromHead bool   `json:"startFromHead"`
	Limit    int    `json:"limit"`
	Token    string `json:"nextToken"`
}

// getLogEvents returns lines of one stream, the oldest first: without startFromHead the last ones, and with the
// backward token those before. At the end of the stream, the token is the one that was sent (CloudWatch Logs API
// reference, "GetLogEvents"). Its resource is the stream (Service authorization reference, CloudWatch Logs).
func (s *Server) getLogEvents(r *api.Request, in getLogEventsInput) (any, *api.Error) {
	resource := r.Scope().ARN("logs", "log-group:"+in.Group+":log-stream:"+in.Stream)
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: resource}); err != nil {
		return nil, err
	}
	all, ok := s.groups[groupARN(r.Scope(), in.Group)]
	if !ok {
		return nil, api.NewError("ResourceNotFoundException", "The specified log group does not exist.")
	}
	var lines []line
	for _, one := range all {
		if one.stream == in.Stream {
			lines = append(lines, one)
		}
	}
	if len(lines) == 0 {
		return nil, api.NewError("ResourceNotFoundException", "The specified log stream does not exist.")
	}
	limit := in.Limit
	if limit <= 0 || limit > maxEvents {
		limit = maxEvents
	}
	end := len(lines)
	switch position, err := strconv.Atoi(in.Token); {
	case in.Token != "" && (err != nil || position < 0 || position > end):
		return nil, api.NewError("InvalidParameterException", "The specified nextToken is invalid.")
	case in.Token != "":
		end = position
	case in.FromHead:
		end = min(limit, end)
	}
	begin := max(0, end-limit)
	events := []api.Object{}
	for _, one := range lines[begin:end] {
		events = append(events, api.Object{"timestamp": one.at, "ingestionTime": one.at, "message": one.message})
	}
	return api.Object{"events": events, "nextBackwardToken": strconv.Itoa(begin),
		"nextForwardToken": strconv.Itoa(end)}, nil
}
