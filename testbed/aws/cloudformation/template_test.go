package cloudformation

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stackOf loads a template whose output It has the value, for the stack s of account 111111111111 in eu-west-1.
func stackOf(value string, values map[string]string) (*Template, error) {
	return Load([]byte(`Transform: AWS::Serverless-2016-10-31
Parameters:
  Name: {Type: String, Default: web, AllowedPattern: "[a-z]*", ConstraintDescription: "letters"}
  List: {Type: CommaDelimitedList, Default: "a,b"}
  Size: {Type: String, AllowedValues: [small, large], Default: small}
Conditions:
  IsLarge: !Equals [!Ref Size, large]
  IsSmall: !Not [!Condition IsLarge]
  Both: !And [!Condition IsLarge, !Equals [!Ref Name, web]]
  Either: !Or [!Condition IsLarge, !Equals [!Ref Name, web]]
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs}}
  Large: {Type: AWS::SQS::Queue, Condition: IsLarge, Properties: {QueueName: large}}
Outputs:
  It: {Value: `+value+`}
`), Parameters{Account: "111111111111", Region: "eu-west-1", Stack: "s", Values: values})
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	large := map[string]string{"Size": "large"}
	tests := []struct {
		name, value string
		values      map[string]string
		want        string
	}{
		{"plain", `text`, nil, "text"},
		{"parameter's default", `!Ref Name`, nil, "web"},
		{"parameter's value", `{Ref: Name}`, map[string]string{"Name": "api"}, "api"},
		{"pseudo parameters", `!Sub "${AWS::AccountId} ${AWS::Region} ${AWS::Partition} ${AWS::StackName} ` +
			`${AWS::URLSuffix}"`, nil, "111111111111 eu-west-1 aws s amazonaws.com"},
		{"substitution", `!Sub "x-${Name}-${!Name}"`, nil, "x-web-${Name}"},
		{"substitution with variables", `!Sub ["${A}/${Name}", {A: !Ref Size}]`, nil, "small/web"},
		{"attribute", `!GetAtt Queue.Arn`, nil, "arn:aws:sqs:eu-west-1:111111111111:jobs"},
		{"attribute in a substitution", `!Sub "${Queue.Arn}"`, nil, "arn:aws:sqs:eu-west-1:111111111111:jobs"},
		{"queue's url", `!Ref Queue`, nil, "https://sqs.eu-west-1.amazonaws.com/111111111111/jobs"},
		{"join", `!Join ["-", [a, !Ref Name, c]]`, nil, "a-web-c"},
		{"join leaves out no value", `!Join [",", [a, !Ref AWS::NoValue, c]]`, nil, "a,c"},
		{"split and select", `!Select [1, !Split [",", "x,y,z"]]`, nil, "y"},
		{"list parameter", `!Select [1, !Ref List]`, nil, "b"},
		{"if", `!If [IsLarge, big, !Ref Name]`, nil, "web"},
		{"if it holds", `!If [IsLarge, big, !Ref Name]`, large, "big"},
		{"not", `!If [IsSmall, yes it is, no]`, large, "no"},
		{"and", `!If [Both, both, one]`, large, "both"},
		{"or", `!If [Either, either, none]`, map[string]string{"Name": "api"}, "none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			loaded, err := stackOf(tt.value, tt.values)
			if err != nil {
				t.Fatal(err)
			}
			if got := loaded.Outputs()["It"]; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestErrors: what is not supported or not valid is an error.
func TestErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, value string
		values      map[string]string
		want        string // a part of the error
	}{
		{"unknown name", `!Ref Nmae`, nil, `"Nmae"`},
		{"unknown attribute", `!GetAtt Queue.Colour`, nil, "Colour"},
		{"resource that is not made", `!GetAtt Large.Arn`, nil, "Large"},
		{"unknown condition", `!If [IsHuge, a, b]`, nil, `condition "IsHuge" is not in the template`},
		{"unknown function", `!Base64 x`, nil, "Base64"},
		{"import", `!ImportValue x`, nil, "ImportValue"},
		{"select beyond the end", `!Select [3, [a, b]]`, nil, `Fn::Select cannot select "3" of a list of 2`},
		{"if with two operands", `!If [IsLarge, a]`, nil, "Fn::If takes a condition and two values, not 2 operands"},
		{"substitution of nothing", `!Sub "${Nmae}"`, nil, "replacing ${Nmae}"},
		{"unknown parameter", `x`, map[string]string{"Colour": "red"},
			"parameter Colour: the template does not have it"},
		{"parameter against its pattern", `x`, map[string]string{"Name": "A1"},
			`parameter Name: "A1" does not match [a-z]*`},
		{"parameter not among its values", `x`, map[string]string{"Size": "huge"},
			`parameter Size: "huge" is not one of [small large]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := stackOf(tt.value, tt.values); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestConditionalResources(t *testing.T) {
	t.Parallel()
	for size, want := range map[string][]string{"small": {"Queue"}, "large": {"Large", "Queue"}} {
		loaded, err := stackOf("x", map[string]string{"Size": size})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, loaded.Resources("AWS::SQS::Queue")); diff != "" {
			t.Errorf("%s:\n%s", size, diff)
		}
		if (loaded.Resource("Large") != nil) != (size == "large") {
			t.Errorf("%s: Large is %v", size, loaded.Resource("Large"))
		}
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	loaded, err := Load([]byte(`
Resources:
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Name: r
      EventPattern: {source: [aws.ecr]}
      Targets: [{Id: t, Arn: !GetAtt Queue.Arn, DeadLetterConfig: {Arn: !GetAtt Queue.Arn}}]
  Often:
    Type: AWS::Events::Rule
    Properties: {Name: o, ScheduleExpression: rate(5 minutes), Targets: [{Id: t, Arn: !GetAtt Queue.Arn}]}
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: q}}
`), Parameters{Account: "111111111111", Region: "eu-west-1", Stack: "s"})
	if err != nil {
		t.Fatal(err)
	}
	const arn, bus, queue = "arn:aws:events:eu-west-1:111111111111:rule/",
		"arn:aws:events:eu-west-1:111111111111:event-bus/default", "arn:aws:sqs:eu-west-1:111111111111:q"
	want := []Rule{
		{LogicalID: "Often", Name: "o", ARN: arn + "o", BusARN: bus, Schedule: "rate(5 minutes)",
			Targets: []Target{{ID: "t", ARN: queue}}},
		{LogicalID: "Rule", Name: "r", ARN: arn + "r", BusARN: bus, Pattern: json.RawMessage(`{"source":["aws.ecr"]}`),
			Targets: []Target{{ID: "t", ARN: queue, DeadLetterARN: queue}}},
	}
	if diff := cmp.Diff(want, loaded.Rules()); diff != "" {
		t.Error(diff)
	}
	for name, properties := range map[string]string{
		"neither pattern nor schedule": `{Name: r}`,
		"bad pattern":                  `{Name: r, EventPattern: {source: aws.ecr}}`,
		"unknown property":             `{Name: r, EventPattern: {source: [a]}, Colour: red}`,
		"target without an ARN":        `{Name: r, EventPattern: {source: [a]}, Targets: [{Id: t}]}`,
	} {
		if _, err := Load([]byte("Resources:\n  Rule: {Type: AWS::Events::Rule, Properties: "+properties+"}\n"),
			Parameters{Account: "111111111111", Region: "eu-west-1", Stack: "s"}); err == nil {
			t.Errorf("%s: it loads", name)
		}
	}
}

// A template may have alarms and dashboards, also with their JSON inside Fn::Sub.
func TestDashboards(t *testing.T) {
	t.Parallel()
	loaded, err := Load([]byte(`
Parameters:
  Env: {Type: String, Default: prod}
  Topic: {Type: String, Default: "arn:aws:sns:eu-west-1:111111111111:deployments"}
  Limit: {Type: String, Default: "5"}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
Resources:
  FailedRollouts:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Sub "deployer_failed_${Env}"
      ComparisonOperator: GreaterThanThreshold
      EvaluationPeriods: 1
      Threshold: !Ref Limit
      TreatMissingData: notBreaching
      Metrics:
        - {Id: all, Expression: "SUM(METRICS())", ReturnData: true}
        - {Id: failed, ReturnData: false, MetricStat: {Stat: Sum, Period: 300, Metric: {Namespace: Deployer, MetricName: Deployments, Dimensions: [{Name: Outcome, Value: failed}]}}}
      AlarmActions: !If [IsProd, [!Ref Topic], !Ref AWS::NoValue]
  Rate:
    Type: AWS::CloudWatch::Alarm
    Properties: {Namespace: Deployer, MetricName: Age, Threshold: 0.95, ExtendedStatistic: p99.5}
  Dashboard:
    Type: AWS::CloudWatch::Dashboard
    Properties:
      DashboardName: !Sub "deployer_${Env}"
      DashboardBody: !Sub |
        {
          "widgets": [
            {"type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": {
              "region": "${AWS::Region}", "title": "Deployments in ${Env}", "view": "timeSeries", "stacked": true,
              "metrics": [
                [{"expression": "SEARCH('{Deployer,Environment,Service,Outcome} MetricName=\"Deployments\" Environment=\"${Env}\"', 'Sum', 300)", "id": "e1", "label": "${!PROP('Dim.Service')}"}],
                ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${Queue.QueueName}", {"stat": "Maximum"}]
              ]}},
            {"type": "alarm", "properties": {"alarms": ["${FailedRollouts.Arn}", "${Rate.Arn}"]}},
            {"type": "log", "properties": {"query": "SOURCE '${Logs}' | fields @timestamp, msg | filter level = 'ERROR' | stats count(*) by bin(5m)"}}
          ]
        }
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs}}
  Logs: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Sub "/aws/lambda/${Env}"}}
Outputs:
  Dashboard: {Value: !Sub "https://${AWS::Region}.console.aws.amazon.com/cloudwatch/home#dashboards:name=${Dashboard}"}
`), Parameters{Account: "111111111111", Region: "eu-west-1", Stack: "s"})
	if err != nil {
		t.Fatal(err)
	}
	properties, _ := loaded.Resource("Dashboard")["Properties"].(map[string]any)
	text, _ := properties["DashboardBody"].(string)
	var body struct {
		Widgets []struct {
			Properties struct {
				Title, Query string
				Metrics      [][]any
				Alarms       []string
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatalf("the dashboard is not JSON: %v\n%s", err, text)
	}
	first, alarms, log := body.Widgets[0].Properties, body.Widgets[1].Properties.Alarms,
		body.Widgets[2].Properties.Query
	got := append([]string{first.Title, first.Metrics[0][0].(map[string]any)["label"].(string),
		first.Metrics[1][3].(string), log}, alarms...)
	want := []string{"Deployments in prod", "${PROP('Dim.Service')}", "jobs",
		"SOURCE '/aws/lambda/prod' | fields @timestamp, msg | filter level = 'ERROR' | stats count(*) by bin(5m)",
		"arn:aws:cloudwatch:eu-west-1:111111111111:alarm:deployer_failed_prod",
		"arn:aws:cloudwatch:eu-west-1:111111111111:alarm:s-Rate"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dashboard (-want +got):\n%s", diff)
	}
	const url = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home#dashboards:name=deployer_prod"
	if got := loaded.Outputs()["Dashboard"]; got != url {
		t.Errorf("output %s", got)
	}
}
