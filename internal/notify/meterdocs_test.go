package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMetricsAreDocumented compares the metrics that are written, with their units and dimensions, with the table of
// docs/reference/metrics-and-alarms.md.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	m := newMeter(&b, "myproject", "prod")
	for _, o := range outcomes(t) {
		o.Accepted = o.Cause.Time.Add(time.Second)
		m.outcome(o)
	}
	m.ignored()
	m.reconciled(1)
	written := map[string]string{}
	for line := range strings.Lines(b.String()) {
		var entry struct {
			AWS struct {
				CloudWatchMetrics []struct {
					Dimensions [][]string
					Metrics    []struct{ Name, Unit string }
				}
			} `json:"_aws"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		for _, one := range entry.AWS.CloudWatchMetrics {
			var sets []string
			for _, set := range one.Dimensions {
				sets = append(sets, strings.Join(set[2:], " and ")) // after Project and Environment
			}
			slices.Sort(sets)
			for _, metric := range one.Metrics {
				written[metric.Name] = metric.Unit + ": " + strings.Join(sets, "; ")
			}
		}
	}
	text, err := os.ReadFile("../../docs/reference/metrics-and-alarms.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	row := regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\| (Count|Seconds) \\| ([^|]*) \\|")
	for _, columns := range row.FindAllStringSubmatch(string(text), -1) {
		sets := strings.Split(strings.ReplaceAll(columns[3], "`", ""), "; ")
		for i, set := range sets {
			sets[i] = strings.Replace(set, "none", "", 1)
		}
		slices.Sort(sets)
		documented[columns[1]] = fmt.Sprintf("%s: %s", columns[2], strings.Join(sets, "; "))
	}
	if diff := cmp.Diff(written, documented); diff != "" || len(written) < 7 {
		t.Errorf("-written +documented:\n%s", diff)
	}
}
