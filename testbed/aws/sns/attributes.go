package sns

import (
	"encoding/xml"

	"deployer/testbed/aws/api"
)

type attribute struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

// getTopicAttributes returns a topic's ARN and key.
func (s *Server) getTopicAttributes(r *api.Request) (any, *api.Error) {
	form, err := r.Form("TopicArn")
	if err != nil {
		return nil, err
	}
	arn := form.Get("TopicArn")
	if service, _, _, ok := api.SplitARN(arn); !ok || service != "sns" {
		return nil, invalidParameter("TopicArn")
	}
	if err := r.Authorize(api.Access{Action: "SNS:GetTopicAttributes", Resource: arn}); err != nil {
		return nil, err
	}
	if _, ok := s.topics[arn]; !ok {
		return nil, errNotFound
	}
	attributes := []attribute{{"TopicArn", arn}}
	if key := s.keys[arn]; key != "" {
		attributes = append(attributes, attribute{"KmsMasterKeyId", key})
	}
	return struct {
		XMLName    xml.Name    `xml:"http://sns.amazonaws.com/doc/2010-03-31/ GetTopicAttributesResponse"`
		Attributes []attribute `xml:"GetTopicAttributesResult>Attributes>entry"`
	}{Attributes: attributes}, nil
}
