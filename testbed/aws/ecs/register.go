package ecs

import (
	"encoding/json"
	"slices"
	"strings"

	"deployer/testbed/aws/api"
)

// maxTaskDefinition is the size limit of a task definition in bytes (Amazon ECS service quotas).
const maxTaskDefinition = 65536

// A registration is the part of RegisterTaskDefinition that the emulator interprets.
type registration struct {
	Family        string      `json:"family"`
	Containers    []container `json:"containerDefinitions"`
	TaskRole      string      `json:"taskRoleArn"`
	ExecutionRole string      `json:"executionRoleArn"`
	NetworkMode   string      `json:"networkMode"`
	Requires      []string    `json:"requiresCompatibilities"`
	CPU           string      `json:"cpu"`
	Memory        string      `json:"memory"`
	Tags          []tag       `json:"tags"`

	usesECR bool // an image is of an ECR registry
}

type container struct {
	Name              string `json:"name"`
	Image             string `json:"image"`
	Memory            int    `json:"memory"`
	MemoryReservation int    `json:"memoryReservation"`

	Logs awslogs `json:"logConfiguration"`
}

func (e *Server) registerTaskDefinition(r *api.Request, in registration) (any, *api.Error) {
	in.usesECR = slices.ContainsFunc(in.images(), e.registries.Hosts)
	// ECS checks the request before it checks the caller's permissions.
	if err := in.check(len(r.Body)); err != nil {
		return nil, err
	}
	if err := e.authorizeRegistration(r, in); err != nil {
		return nil, err
	}
	fields, err := in.fields(r)
	if err != nil {
		return nil, err
	}
	a := e.account(r.Scope())
	f, ok := a.families[in.Family]
	if !ok {
		f = &family{name: in.Family}
		a.families[in.Family] = f
	}
	t := &taskDefinition{
		scope:        r.Scope(),
		family:       in.Family,
		revision:     len(f.revisions) + 1,
		fields:       fields,
		images:       in.images(),
		needs:        in.attributes(),
		compatible:   in.compatibilities(),
		awsvpc:       in.NetworkMode == "awsvpc",
		tags:         in.Tags,
		registered:   r.Now,
		registeredBy: r.Caller.ARN(),
	}
	f.revisions = append(f.revisions, t)
	answer := api.Object{"taskDefinition": t.describe()}
	if len(t.tags) > 0 {
		answer["tags"] = t.tags
	}
	return answer, nil
}

// check returns the error of ECS for a registration that is not valid.
func (in registration) check(size int) *api.Error {
	switch {
	case in.Family == "":
		return clientError("Family can not be blank.")
	case !IsName(in.Family):
		return clientError("Family contains invalid characters.")
	case len(in.Containers) == 0:
		return clientError("Container list cannot be empty.")
	case in.Tags != nil && len(in.Tags) == 0:
		return clientError("Tags can not be empty.")
	case size > maxTaskDefinition:
		return clientError("Actual length: '%d'. Max allowed length is '%d' bytes.", size, maxTaskDefinition)
	}
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	for _, c := range in.Containers {
		switch {
		case c.Name == "":
			return clientError("Container.name should not be null or empty.")
		case c.Image == "":
			return clientError("Container.image should not be null or empty.")
		case in.Memory == "" && c.Memory == 0 && c.MemoryReservation == 0:
			return clientError("Invalid setting for container '%s'. At least one of 'memory' or 'memoryReservation' "+
				"must be specified.", c.Name)
		}
	}
	if slices.Contains(in.Requires, "FARGATE") {
		return in.checkFargate()
	}
	return nil
}

func (in registration) checkFargate() *api.Error {
	switch {
	case in.NetworkMode != "awsvpc":
		return clientError("Fargate only supports network mode ‘awsvpc’.")
	case in.CPU == "":
		return clientError("Fargate requires that 'cpu' be defined at the task level.")
	case in.Memory == "":
		return clientError("Fargate requires that 'memory' be defined at the task level.")
	case in.ExecutionRole == "" && in.usesECR:
		return clientError("Fargate requires task definition to have execution role ARN to support ECR images.")
	}
	return nil
}

func (in registration) images() []string {
	var images []string
	for _, c := range in.Containers {
		images = append(images, c.Image)
	}
	return images
}

// authorizeRegistration checks that the caller may register the task definition, tag it, and pass its roles.
func (e *Server) authorizeRegistration(r *api.Request, in registration) *api.Error {
	resource := r.Scope().ARN("ecs", "task-definition/"+in.Family+":*")
	a := api.Access{Action: r.Name(), Resource: resource, Context: addRequestTags(nil, in.Tags)}
	if err := r.Authorize(a); err != nil {
		return err
	}
	if err := e.authorizeTagging(r, resource, in.Tags); err != nil {
		return err
	}
	for _, role := range []string{in.TaskRole, in.ExecutionRole} {
		if role == "" {
			continue
		}
		if !strings.HasPrefix(role, "arn:") {
			role = r.Scope().RoleARN(role)
		}
		context := map[string]string{"iam:PassedToService": "ecs-tasks.amazonaws.com"}
		if err := r.Authorize(api.Access{Action: "iam:PassRole", Resource: role, Context: context}); err != nil {
			return err
		}
	}
	return nil
}

// fields returns the members of the request with those that ECS adds.
func (in registration) fields(r *api.Request) (map[string]json.RawMessage, *api.Error) {
	sent, err := api.Decode[map[string]json.RawMessage](r)
	if err != nil {
		return nil, err
	}
	delete(sent, "tags")
	addMissing(sent, "volumes", "[]")
	addMissing(sent, "placementConstraints", "[]")
	var containers []map[string]json.RawMessage
	if err := json.Unmarshal(sent["containerDefinitions"], &containers); err != nil {
		return nil, api.NewError("SerializationException", "%v", err)
	}
	for _, c := range containers {
		addMissing(c, "cpu", "0")
		addMissing(c, "essential", "true")
		for _, list := range []string{"environment", "mountPoints", "portMappings", "systemControls", "volumesFrom"} {
			addMissing(c, list, "[]")
		}
		c["portMappings"] = in.portMappings(c["portMappings"])
	}
	sent["containerDefinitions"] = api.Encode(containers)
	return sent, nil
}

func addMissing(fields map[string]json.RawMessage, name, value string) {
	if _, ok := fields[name]; !ok {
		fields[name] = json.RawMessage(value)
	}
}

// portMappings returns the port mappings with the missing protocols and host ports.
func (in registration) portMappings(sent json.RawMessage) json.RawMessage {
	var mappings []map[string]json.RawMessage
	if json.Unmarshal(sent, &mappings) != nil || len(mappings) == 0 {
		return sent
	}
	for _, m := range mappings {
		addMissing(m, "protocol", `"tcp"`)
		if port, ok := m["containerPort"]; ok {
			if in.NetworkMode != "awsvpc" && in.NetworkMode != "host" {
				port = json.RawMessage("0")
			}
			addMissing(m, "hostPort", string(port))
		}
	}
	return api.Encode(mappings)
}

// attributes returns some of the attributes that ECS derives (ECS API reference, "TaskDefinition").
func (in registration) attributes() []string {
	names := []string{"com.amazonaws.ecs.capability.docker-remote-api.1.18"}
	if in.usesECR {
		names = append(names, "com.amazonaws.ecs.capability.ecr-auth")
		if in.ExecutionRole != "" {
			names = append(names, "ecs.capability.execution-role-ecr-pull")
		}
	}
	if in.TaskRole != "" {
		names = append(names, "com.amazonaws.ecs.capability.task-iam-role")
	}
	if in.NetworkMode == "awsvpc" {
		names = append(names, "ecs.capability.task-eni")
	}
	return names
}

// compatibilities returns the launch types that can run the task definition.
func (in registration) compatibilities() []string {
	if in.checkFargate() == nil {
		return []string{"EC2", "FARGATE"}
	}
	return []string{"EC2"}
}
