package outcome

import (
	"net/url"
	"strings"
)

// Links are pages of the AWS console.
type Links struct {
	Service string `json:"service,omitempty"`
	// all deployments of the service: no event has the id of a deployment's page
	Deployment     string `json:"deployment,omitempty"`
	TaskDefinition string `json:"task_definition,omitempty"`
	Logs           string `json:"logs,omitempty"` // of the service's tasks
}

// consoles are the domains of the AWS console by partition. Other partitions get no
// links.
var consoles = map[string]string{
	"aws":        "console.aws.amazon.com",
	"aws-cn":     "console.amazonaws.cn",
	"aws-us-gov": "console.amazonaws-us-gov.com",
	"aws-eusc":   "console.amazonaws-eusc.eu",
}

// LinksOf returns the pages of a service and of a revision, given their ARNs.
func LinksOf(service, revision string) (l Links) {
	// arn:PARTITION:ecs:REGION:ACCOUNT:service/CLUSTER/NAME. The ARNs of services from
	// before 2019 have no cluster, which every page needs.
	names := strings.Split(resourceOf(service), "/")
	if len(names) == 3 {
		path := "clusters/" + url.PathEscape(names[1]) + "/services/" + url.PathEscape(names[2])
		l.Service = page(service, path+"/health")
		l.Deployment = page(service, path+"/deployments")
		l.Logs = page(service, path+"/logs")
	}
	// arn:PARTITION:ecs:REGION:ACCOUNT:task-definition/FAMILY:NUMBER
	if name, ok := strings.CutPrefix(resourceOf(revision), "task-definition/"); ok {
		family, number, _ := strings.Cut(name, ":")
		path := "task-definitions/" + url.PathEscape(family) + "/" + url.PathEscape(number) + "/containers"
		l.TaskDefinition = page(revision, path)
	}
	return l
}

// DeploymentsPage returns the page of a service's deployments, given its ARN; "" in
// partitions without a console.
func DeploymentsPage(service string) string { return LinksOf(service, "").Deployment }

// resourceOf returns the resource of an ARN, "" if it is not an ARN.
func resourceOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[5]
}

// page returns a page of the Amazon ECS console in the partition and region of an
// ARN, "" if the partition has no console.
func page(arn, path string) string {
	parts := strings.SplitN(arn, ":", 6)
	domain, region := consoles[parts[1]], parts[3]
	if domain == "" {
		return ""
	}
	return "https://" + region + "." + domain + "/ecs/v2/" + path + "?region=" + url.QueryEscape(region)
}
