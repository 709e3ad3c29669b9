package deploy_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"deployer/testbed/aws/cloudformation"
	"deployer/testbed/terraform"
)

// described is what a description of the stack creates: the properties of each resource, by its type and its name in
// AWS. The names of the properties are CloudFormation's. A list is its sorted elements, each once: none has an order.
type described map[string]map[string]string

// add adds a value under a path. Elements of a list that have an id are added under that.
func (d described) add(resource, path string, value any) {
	if d[resource] == nil {
		d[resource] = map[string]string{}
	}
	switch value := value.(type) {
	case nil:
	case map[string]any:
		for key, member := range value {
			d.add(resource, path+"."+key, member)
		}
	case []any:
		var plain []string
		for _, element := range value {
			if id := idOf(element); id != "" {
				d.add(resource, path+"["+id+"]", element)
				continue
			}
			text, err := json.Marshal(element)
			if err != nil {
				panic(err) // it was decoded from JSON or YAML
			}
			plain = append(plain, strings.Trim(string(text), `"`))
		}
		if slices.Sort(plain); len(plain) > 0 {
			d[resource][path] = strings.Join(slices.Compact(plain), " | ")
		}
	default:
		d[resource][path] = fmt.Sprint(value)
	}
}

// idOf returns what identifies an element of a list: a statement, a target, a policy, a widget.
func idOf(element any) string {
	members, _ := element.(map[string]any)
	for _, key := range []string{"Sid", "Id", "PolicyName"} {
		if id, ok := members[key].(string); ok {
			return id
		}
	}
	return ""
}

// named is how the resources of a type are compared.
type named struct {
	name string            // the property with the name in AWS
	into string            // the type of the resource that it is a part of; "" for its own
	json []string          // properties that are JSON texts
	as   map[string]string // arguments of Terraform, and properties of CloudFormation
}

// templateTypes are the types of the template's resources.
var templateTypes = map[string]named{
	"AWS::Serverless::Function":     {name: "FunctionName"},
	"AWS::Logs::LogGroup":           {name: "LogGroupName"},
	"AWS::IAM::Role":                {name: "RoleName"},
	"AWS::IAM::ManagedPolicy":       {name: "ManagedPolicyName"},
	"AWS::Events::Rule":             {name: "Name"},
	"AWS::Lambda::Permission":       {name: "SourceArn"},
	"AWS::Events::EventBusPolicy":   {name: "StatementId"},
	"AWS::SQS::Queue":               {name: "QueueName"},
	"AWS::SQS::QueuePolicy":         {name: "Queues"},
	"AWS::Scheduler::ScheduleGroup": {name: "Name"},
	"AWS::CloudWatch::Alarm":        {name: "AlarmName"},
	"AWS::CloudWatch::Dashboard":    {name: "DashboardName", json: []string{"DashboardBody"}},
}

// ofTemplate returns what the template creates.
func ofTemplate(t *testing.T, template *cloudformation.Template) described {
	t.Helper()
	d := described{}
	for _, id := range template.Resources("") {
		resource := template.Resource(id)
		kind, _ := resource["Type"].(string)
		properties, _ := resource["Properties"].(map[string]any)
		by, ok := templateTypes[kind]
		if !ok {
			t.Fatalf("%s: add the type %s to templateTypes, and its counterpart to moduleTypes", id, kind)
		}
		if queues, ok := properties[by.name].([]any); ok {
			properties[by.name] = queues[0]
		}
		for _, name := range by.json {
			properties[name] = decoded(t, fmt.Sprint(properties[name]))
		}
		for property, value := range properties {
			d.add(kind+" "+fmt.Sprint(properties[by.name]), property, value)
		}
	}
	for resource := range d {
		for _, property := range samOnly {
			delete(d[resource], property)
		}
	}
	return d
}

// samOnly are properties of the function that only SAM knows.
var samOnly = []string{"CodeUri", "EventInvokeConfig.DestinationConfig.OnFailure.Type"}

// differences returns a line for each property that two descriptions have differently.
func differences(template, module described) (lines []string) {
	all := described{}
	for _, d := range []described{template, module} {
		for resource, properties := range d {
			for property := range properties {
				all.add(resource, property, "")
			}
		}
	}
	for resource, properties := range all {
		for property := range properties {
			a, inTemplate := template[resource][property]
			b, inModule := module[resource][property]
			switch what := resource + ": " + property; {
			case !inModule:
				lines = append(lines, what+" is only in template.yaml: "+a)
			case !inTemplate:
				lines = append(lines, what+" is only in terraform: "+b)
			case a != b:
				lines = append(lines, what+" is "+a+" in template.yaml, and "+b+" in terraform")
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}

// moduleTypes are the types of the module's resources. An argument that is not listed fails the test.
var moduleTypes = map[string]named{
	"aws_lambda_function": {name: "FunctionName", into: "AWS::Serverless::Function", as: map[string]string{
		"function_name": "FunctionName", "description": "Description", "runtime": "Runtime", "handler": "Handler",
		"architectures": "Architectures", "timeout": "Timeout", "memory_size": "MemorySize", "role": "Role",
		"reserved_concurrent_executions": "ReservedConcurrentExecutions", "tracing_config.mode": "Tracing",
		"logging_config.log_format": "LoggingConfig.LogFormat", "logging_config.log_group": "LoggingConfig.LogGroup",
		"environment.variables": "Environment.Variables", "filename": "", "source_code_hash": "", "s3_bucket": "",
		"s3_key": "", "s3_object_version": ""}},
	"aws_lambda_function_event_invoke_config": {name: "FunctionName", into: "AWS::Serverless::Function",
		as: map[string]string{"function_name": "FunctionName",
			"maximum_retry_attempts":                    "EventInvokeConfig.MaximumRetryAttempts",
			"maximum_event_age_in_seconds":              "EventInvokeConfig.MaximumEventAgeInSeconds",
			"destination_config.on_failure.destination": "EventInvokeConfig.DestinationConfig.OnFailure.Destination"}},
	"aws_cloudwatch_log_group": {name: "LogGroupName", into: "AWS::Logs::LogGroup", as: map[string]string{
		"name": "LogGroupName", "retention_in_days": "RetentionInDays"}},
	"aws_iam_role": {name: "RoleName", into: "AWS::IAM::Role", json: []string{"assume_role_policy"},
		as: map[string]string{"name": "RoleName", "assume_role_policy": "AssumeRolePolicyDocument"}},
	"aws_iam_policy": {name: "ManagedPolicyName", into: "AWS::IAM::ManagedPolicy", json: []string{"policy"},
		as: map[string]string{"name": "ManagedPolicyName", "policy": "PolicyDocument"}},
	"aws_cloudwatch_event_rule": {name: "Name", into: "AWS::Events::Rule", json: []string{"event_pattern"},
		as: map[string]string{"name": "Name", "description": "Description", "event_pattern": "EventPattern",
			"schedule_expression": "ScheduleExpression"}},
	"aws_lambda_permission": {name: "SourceArn", into: "AWS::Lambda::Permission", as: map[string]string{
		"source_arn": "SourceArn", "action": "Action", "function_name": "FunctionName", "principal": "Principal",
		"statement_id": ""}},
	"aws_sqs_queue": {name: "QueueName", into: "AWS::SQS::Queue", as: map[string]string{"name": "QueueName",
		"message_retention_seconds": "MessageRetentionPeriod", "sqs_managed_sse_enabled": "SqsManagedSseEnabled"}},
	"aws_sqs_queue_policy": {name: "Queues", into: "AWS::SQS::QueuePolicy", json: []string{"policy"},
		as: map[string]string{"queue_url": "Queues", "policy": "PolicyDocument"}},
	"aws_scheduler_schedule_group": {name: "Name", into: "AWS::Scheduler::ScheduleGroup",
		as: map[string]string{"name": "Name"}},
	"aws_cloudwatch_metric_alarm": {name: "AlarmName", into: "AWS::CloudWatch::Alarm", as: map[string]string{
		"alarm_name": "AlarmName", "alarm_description": "AlarmDescription", "namespace": "Namespace",
		"metric_name": "MetricName", "dimensions": "Dimensions", "statistic": "Statistic", "period": "Period",
		"evaluation_periods": "EvaluationPeriods", "threshold": "Threshold",
		"comparison_operator": "ComparisonOperator", "treat_missing_data": "TreatMissingData",
		"alarm_actions": "AlarmActions", "insufficient_data_actions": "InsufficientDataActions"}},
	"aws_cloudwatch_dashboard": {name: "DashboardName", into: "AWS::CloudWatch::Dashboard",
		json: []string{"dashboard_body"},
		as:   map[string]string{"dashboard_name": "DashboardName", "dashboard_body": "DashboardBody"}},
}

// ofModule returns what the module creates.
func ofModule(t *testing.T, module *terraform.Module) described {
	t.Helper()
	d := described{}
	attached := map[any][]any{}
	seen := map[string]bool{}
	for _, r := range module.Resources() {
		if same := fmt.Sprint(r.Type, r.Values); seen[same] {
			t.Errorf("%s.%s is there twice", r.Type, r.Name)
		} else {
			seen[same] = true
		}
		checkPart(t, r)
		switch r.Type {
		case "aws_iam_role_policy_attachment": // a part of a role
			attached[r.Values["role"]] = append(attached[r.Values["role"]], r.Values["policy_arn"])
		case "aws_iam_role_policy": // a part of a role
			policy := map[string]any{"PolicyName": r.Values["name"],
				"PolicyDocument": decoded(t, fmt.Sprint(r.Values["policy"]))}
			d.add(fmt.Sprint("AWS::IAM::Role ", r.Values["role"]), "Policies", []any{policy})
		case "aws_cloudwatch_event_target": // a part of a rule
			d.add(fmt.Sprint("AWS::Events::Rule ", r.Values["rule"]), "Targets", []any{target(r)})
		case "aws_cloudformation_stack":
			body := decoded(t, fmt.Sprint(r.Values["template_body"])).(map[string]any)
			for _, resource := range body["Resources"].(map[string]any) {
				resource := resource.(map[string]any)
				properties := resource["Properties"].(map[string]any)
				kind := fmt.Sprint(resource["Type"])
				for property, value := range properties {
					d.add(kind+" "+fmt.Sprint(properties[templateTypes[kind].name]), property, value)
				}
			}
		default:
			by, ok := moduleTypes[r.Type]
			if !ok {
				t.Fatalf("add the type %s to moduleTypes", r.Type)
			}
			d.addResource(t, by, r)
		}
	}
	for role, policies := range attached {
		d.add(fmt.Sprint("AWS::IAM::Role ", role), "ManagedPolicyArns", policies)
	}
	return d
}

// addResource adds a resource whose arguments are renamed.
func (d described) addResource(t *testing.T, by named, r terraform.Resource) {
	t.Helper()
	properties := map[string]any{}
	var rename func(path string, value any)
	rename = func(path string, value any) {
		property, known := by.as[path]
		blocks, isBlock := value.([]any)
		switch {
		case known && property == "", path == "tags":
		case known:
			properties[property] = value
		case isBlock && len(blocks) == 1:
			for name, member := range blocks[0].(map[string]any) {
				rename(path+"."+name, member)
			}
		default:
			t.Errorf("%s.%s: add the argument %s to moduleTypes", r.Type, r.Name, path)
		}
	}
	for _, argument := range r.Arguments {
		value := r.Values[argument]
		if slices.Contains(by.json, argument) && value != nil {
			value = decoded(t, fmt.Sprint(value))
		}
		rename(argument, value)
	}
	if dimensions, ok := properties["Dimensions"].(map[string]any); ok {
		var list []any
		for name, value := range dimensions {
			list = append(list, map[string]any{"Name": name, "Value": value})
		}
		properties["Dimensions"] = list
	}
	for property, value := range properties {
		d.add(by.into+" "+fmt.Sprint(properties[by.name]), property, value)
	}
}
