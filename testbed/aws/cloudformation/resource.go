package cloudformation

import (
	"fmt"
)

// kind is how resources of one type are named.
type kind struct {
	// name is the property with the resource's name. The default is the stack's name and the logical id, to which
	// CloudFormation adds random characters.
	name string
	// ref and attributes return the values of Ref and Fn::GetAtt (AWS resource and property types reference).
	ref        func(r *resolver, name string, properties map[string]any) string
	attributes map[string]func(r *resolver, name string, properties map[string]any) string
}

func byName(_ *resolver, name string, _ map[string]any) string { return name }

// arnOf returns a function that returns the ARN of a resource in the stack's account and region.
func arnOf(service, prefix, suffix string) func(*resolver, string, map[string]any) string {
	return func(r *resolver, name string, _ map[string]any) string {
		return r.arn(service, r.stack.Region, prefix+name+suffix)
	}
}

func repositoryURI(r *resolver, name string, _ map[string]any) string {
	return fmt.Sprintf("%s.dkr.ecr.%s.%s/%s", r.stack.Account, r.stack.Region, urlSuffix(r.stack.Partition), name)
}

func queueURL(r *resolver, name string, _ map[string]any) string {
	return fmt.Sprintf("https://sqs.%s.%s/%s/%s", r.stack.Region, urlSuffix(r.stack.Partition), r.stack.Account, name)
}

func roleARN(r *resolver, name string, properties map[string]any) string {
	path, ok := properties["Path"].(string)
	if !ok {
		path = "/"
	}
	return r.arn("iam", "", "role"+path+name)
}

func policyARN(r *resolver, name string, properties map[string]any) string {
	path, ok := properties["Path"].(string)
	if !ok {
		path = "/"
	}
	return r.arn("iam", "", "policy"+path+name)
}

// ruleARN returns the ARN of a rule, which has the name of its bus unless that is the default one.
func ruleARN(r *resolver, name string, properties map[string]any) string {
	bus := busName(properties)
	if bus != "default" {
		name = bus + "/" + name
	}
	return r.arn("events", r.stack.Region, "rule/"+name)
}

func ruleRef(_ *resolver, name string, properties map[string]any) string {
	bus := busName(properties)
	if bus != "default" {
		return bus + "|" + name
	}
	return name
}

type namer = func(*resolver, string, map[string]any) string

// kinds are the resource types that Ref and Fn::GetAtt can refer to. A template may have resources of other types; a
// reference to one is an error.
var kinds = map[string]kind{
	"AWS::Serverless::Function": {"FunctionName", byName, map[string]namer{"Arn": arnOf("lambda", "function:", "")}},
	"AWS::SQS::Queue": {"QueueName", queueURL, map[string]namer{"Arn": arnOf("sqs", "", ""),
		"QueueName": byName, "QueueUrl": queueURL}},
	"AWS::IAM::ManagedPolicy": {"ManagedPolicyName", policyARN, map[string]namer{"PolicyArn": policyARN}},
	"AWS::IAM::Role":          {"RoleName", byName, map[string]namer{"Arn": roleARN}},
	"AWS::Logs::LogGroup":     {"LogGroupName", byName, map[string]namer{"Arn": arnOf("logs", "log-group:", ":*")}},
	"AWS::Events::Rule":       {"Name", ruleRef, map[string]namer{"Arn": ruleARN}},
	"AWS::Scheduler::ScheduleGroup": {"Name", byName, map[string]namer{
		"Arn": arnOf("scheduler", "schedule-group/", "")}},
	"AWS::CloudWatch::Dashboard": {"DashboardName", byName, nil},
	"AWS::ECR::Repository": {"RepositoryName", byName, map[string]namer{"Arn": arnOf("ecr", "repository/", ""),
		"RepositoryUri": repositoryURI}},
	"AWS::CloudWatch::Alarm": {"AlarmName", byName, map[string]namer{"Arn": arnOf("cloudwatch", "alarm:", "")}},
}

func (r *resolver) arn(service, region, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", r.stack.Partition, service, region, r.stack.Account, resource)
}

// urlSuffix returns the domain of a partition's endpoints.
func urlSuffix(partition string) string {
	if partition == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// ref resolves Ref.
func (r *resolver) ref(name string) (any, error) {
	switch name {
	case "AWS::AccountId":
		return r.stack.Account, nil
	case "AWS::Region":
		return r.stack.Region, nil
	case "AWS::Partition":
		return r.stack.Partition, nil
	case "AWS::StackName":
		return r.stack.Stack, nil
	case "AWS::URLSuffix":
		return urlSuffix(r.stack.Partition), nil
	case "AWS::NoValue":
		return noValue{}, nil
	}
	if value, ok := r.parameters[name]; ok {
		return value, nil
	}
	k, resourceName, properties, err := r.identify(name)
	if err != nil {
		return nil, fmt.Errorf("referring to %q: %w", name, err)
	}
	return k.ref(r, resourceName, properties), nil
}

func (r *resolver) getAtt(operands []any) (any, error) {
	if len(operands) != 2 {
		return nil, fmt.Errorf("Fn::GetAtt takes a resource and an attribute, not %d operands", len(operands))
	}
	id, _ := operands[0].(string)
	attribute, _ := operands[1].(string)
	k, name, properties, err := r.identify(id)
	if err != nil {
		return nil, fmt.Errorf("getting %q of %q: %w", attribute, id, err)
	}
	make := k.attributes[attribute]
	if make == nil {
		return nil, fmt.Errorf("getting %q of %q: the attribute is not supported", attribute, id)
	}
	return make(r, name, properties), nil
}

// identify returns a resource's kind, its name, and the properties that its name or ARN depend on.
func (r *resolver) identify(id string) (k kind, name string, identity map[string]any, err error) {
	exists, err := r.exists(id)
	if err != nil {
		return kind{}, "", nil, err
	}
	if !exists {
		return kind{}, "", nil, fmt.Errorf("the stack does not have it, because its condition is false")
	}
	resourceType, _ := r.resources[id]["Type"].(string)
	k, ok := kinds[resourceType]
	if !ok {
		return kind{}, "", nil, fmt.Errorf("references to a resource of type %q are not supported", resourceType)
	}
	leave, err := r.enter("the name of " + id)
	if err != nil {
		return kind{}, "", nil, err
	}
	defer leave()
	properties, _ := r.resources[id]["Properties"].(map[string]any)
	identity = map[string]any{}
	for _, property := range []string{k.name, "Path", "EventBusName"} {
		value, ok := properties[property]
		if !ok {
			continue
		}
		if identity[property], err = r.text(property, value); err != nil {
			return kind{}, "", nil, err
		}
	}
	name, ok = identity[k.name].(string)
	if !ok {
		name = r.stack.Stack + "-" + id
	}
	if limit := maxName[resourceType]; limit > 0 && len(name) > limit {
		return kind{}, "", nil, fmt.Errorf("the name %q has %d characters, at most %d", name, len(name), limit)
	}
	return k, name, identity, nil
}

// maxName is the number of characters that a name may have (EventBridge PutRule, IAM CreateRole and CreatePolicy,
// Lambda CreateFunction, SQS CreateQueue, ECR CreateRepository, CloudWatch PutMetricAlarm and PutDashboard, EventBridge
// Scheduler CreateScheduleGroup).
var maxName = map[string]int{
	"AWS::Events::Rule": 64, "AWS::IAM::Role": 64, "AWS::Serverless::Function": 64, "AWS::SQS::Queue": 80,
	"AWS::CloudWatch::Alarm": 255, "AWS::CloudWatch::Dashboard": 255, "AWS::ECR::Repository": 256,
	"AWS::Scheduler::ScheduleGroup": 64, "AWS::IAM::ManagedPolicy": 128,
}

// exists reports whether the stack has a resource. It is an error if the template does not have it.
func (r *resolver) exists(id string) (bool, error) {
	resource, ok := r.resources[id]
	if !ok {
		return false, fmt.Errorf("the template has no such parameter or resource")
	}
	return r.holds(resource["Condition"])
}
