package outcome

import (
	"net/url"
	"strings"
)

// Links are pages of the AWS console.
type Links struct {
	Service        string `json:"service,omitempty"`
	Deployment     string `json:"deployment,omitempty"` // the service's deployments: the page of one goes by an id that no event has
	TaskDefinition string `json:"task_definition,omitempty"`
	Logs           string `json:"logs,omitempty"` // of the service's tasks
}

// consoles are the consoles' domains by partition. For a partition that is not
// here there is no link, rather than one that leads nowhere.
var consoles = map[string]string{
	"aws":        "console.aws.amazon.com",
	"aws-cn":     "console.amazonaws.cn",
	"aws-us-gov": "console.amazonaws-us-gov.com",
	"aws-eusc":   "console.amazonaws-eusc.eu",
}

// links returns the pages of a service and a revision, by their ARNs.
func links(service, revision string) (l Links) {
	// arn:PARTITION:ecs:REGION:ACCOUNT:service/CLUSTER/NAME; ARNs from before
	// 2019 have no cluster, and so no page.
	if names := strings.Split(resourceOf(service), "/"); len(names) == 3 {
		path := "clusters/" + url.PathEscape(names[1]) + "/services/" + url.PathEscape(names[2])
		l.Service, l.Deployment, l.Logs = page(service, path+"/health"), page(service, path+"/deployments"), page(service, path+"/logs")
	}
	// arn:PARTITION:ecs:REGION:ACCOUNT:task-definition/FAMILY:NUMBER
	if name, ok := strings.CutPrefix(resourceOf(revision), "task-definition/"); ok {
		family, number, _ := strings.Cut(name, ":")
		l.TaskDefinition = page(revision, "task-definitions/"+url.PathEscape(family)+"/"+url.PathEscape(number)+"/containers")
	}
	return l
}

// resourceOf returns the last part of an ARN, "" if it is none.
func resourceOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[5]
}

// page returns a page of the Amazon ECS console where an ARN belongs, "" where
// there is no console.
func page(arn, path string) string {
	parts := strings.SplitN(arn, ":", 6)
	domain, region := consoles[parts[1]], parts[3]
	if domain == "" {
		return ""
	}
	return "https://" + region + "." + domain + "/ecs/v2/" + path + "?region=" + url.QueryEscape(region)
}
