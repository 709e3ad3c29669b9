package sqs

import (
	"slices"
	"strconv"

	"deployer/testbed/aws/api"
)

type getQueueAttributesInput struct {
	QueueUrl       string
	AttributeNames []string
}

// getQueueAttributes returns the counts of messages that can be received, and of those that a receiver has. SQS counts
// approximately; the emulator does exactly.
func (s *Server) getQueueAttributes(r *api.Request, in getQueueAttributesInput) (any, *api.Error) {
	arn, err := s.open(r, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	visible, hidden := 0, 0
	for _, m := range s.queues[arn] {
		if m.visibleAt.After(r.Now) {
			hidden++
		} else {
			visible++
		}
	}
	known := map[string]string{
		"QueueArn": arn, "ApproximateNumberOfMessages": strconv.Itoa(visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(hidden),
		"KmsMasterKeyId":                        s.keys[arn],
	}
	attributes := map[string]string{}
	for name, value := range known {
		if value == "" {
			continue // SQS leaves out what is not set
		}
		if slices.Contains(in.AttributeNames, name) || slices.Contains(in.AttributeNames, "All") {
			attributes[name] = value
		}
	}
	for _, name := range in.AttributeNames {
		if _, ok := known[name]; !ok && name != "All" {
			return nil, api.NewError("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
	}
	return api.Object{"Attributes": attributes}, nil
}
