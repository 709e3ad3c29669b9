// Package deployer_test holds the house together: which room may import which.
package deployer_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rooms are the product's packages; each may import only those before it.
var rooms = []string{"policy", "image", "environment", "event", "fault", "signed", "bus", "resolve", "outcome", "notify", "ecsdeploy", "pipeline", "redrive", "doctor", "migrate", "access", "stack"}

// stages are what tests and the demo play on; the product never imports them,
// nor they the product.
var stages = []string{"emulator", "lambdahost"}

// theatre is where the product plays on both stages at once; only tests and the
// demo enter it.
const theatre = "stage"

// shared is the one room that the witnesses know too: what IAM's language means
// is neither the product's nor the emulator's to say.
const shared = "policy"

// sole are the packages that only these rooms may import. The doctor looks at
// everything, and changes nothing.
var sole = map[string][]string{
	"github.com/aws/aws-sdk-go-v2/service/ecr":         {"resolve", "doctor"},
	"github.com/aws/aws-sdk-go-v2/service/ecs":         {"ecsdeploy", "doctor"},
	"github.com/aws/aws-sdk-go-v2/service/eventbridge": {"bus", "doctor"},
	"github.com/aws/aws-sdk-go-v2/service/iam":         {"doctor"},
	"github.com/aws/aws-sdk-go-v2/service/sqs":         {"redrive"},
}

// pure are the packages that import no part of any SDK.
var pure = []string{"deployer/internal/policy", "deployer/internal/image", "deployer/internal/environment", "deployer/internal/event", "deployer/internal/access", "deployer/internal/stack", "deployer/internal/ecsdeploy/converge"}

func TestHouse(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := map[string]bool{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		room := roomOf(p.ImportPath)
		if slices.Contains(rooms, room) {
			seen[room] = true
		}
		for _, imported := range p.Imports {
			if wrong := forbidden(p.ImportPath, room, imported); wrong != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, wrong)
			}
		}
	}
	if len(seen) != len(rooms) {
		t.Errorf("the rooms %v were seen, want %v: is one gone?", slices.Sorted(maps.Keys(seen)), rooms)
	}
}

// roomOf returns the room that a package is in: "emulator" for internal/emulator/policy.
func roomOf(path string) string {
	room, ok := strings.CutPrefix(path, "deployer/internal/")
	if !ok {
		return path
	}
	room, _, _ = strings.Cut(room, "/")
	return room
}

// forbidden says why a package may not import another, "" if it may.
func forbidden(path, room, imported string) string {
	from, to := slices.Index(rooms, room), slices.Index(rooms, roomOf(imported))
	product := from >= 0 || path == "deployer/cmd/deployer"
	switch owners := sole[imported]; {
	case from >= 0 && to >= from && !strings.HasPrefix(imported, path+"/"): // a room may have chambers
		return "a room imports only rooms before it: " + strings.Join(rooms, ", ")
	case product && (slices.Contains(stages, roomOf(imported)) || roomOf(imported) == theatre):
		return "the product does not know that it is emulated"
	case slices.Contains(stages, room) && (to >= 0 && roomOf(imported) != shared || slices.Contains(stages, roomOf(imported)) && roomOf(imported) != room):
		return "a witness knows nothing of the product, nor of the other witness"
	case product && owners != nil && !slices.Contains(owners, room):
		return "only " + strings.Join(owners, " and ") + " may speak to it"
	case slices.Contains(pure, path) && strings.Contains(imported, "aws"):
		return "the core has no SDK"
	}
	return ""
}

// TestHouseIsDrawn holds docs/design.md to the rooms: each has its line in the
// table, and the sentence below it has their order.
func TestHouseIsDrawn(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for _, room := range slices.Concat(rooms, stages, []string{theatre}) {
		if !strings.Contains(page, "\n| `internal/"+room+"` | ") {
			t.Errorf("docs/design.md has no line for internal/%s", room)
		}
	}
	_, order, _ := strings.Cut(page, "only rooms above it in this order: ")
	order, _, _ = strings.Cut(order, ", cmd.")
	drawn := strings.Split(strings.Join(strings.Fields(order), " "), ", ")
	drawn = slices.DeleteFunc(drawn, func(room string) bool { return !slices.Contains(rooms, room) })
	if !slices.Equal(drawn, rooms) {
		t.Errorf("docs/design.md has the rooms in the order %v, want %v", drawn, rooms)
	}
}

func TestHouseRefuses(t *testing.T) {
	t.Parallel()
	for _, wrong := range [][2]string{
		{"deployer/internal/event", "deployer/internal/resolve"},
		{"deployer/internal/event", "github.com/aws/aws-sdk-go-v2/aws"},
		{"deployer/internal/ecsdeploy/converge", "github.com/aws/aws-sdk-go-v2/aws"},
		{"deployer/internal/ecsdeploy/converge", "deployer/internal/ecsdeploy"},
		{"deployer/internal/pipeline", "github.com/aws/aws-sdk-go-v2/service/ecs"},
		{"deployer/internal/pipeline", "deployer/internal/emulator"},
		{"deployer/cmd/deployer", "deployer/internal/lambdahost"},
		{"deployer/cmd/deployer", "deployer/internal/stage"},
		{"deployer/internal/emulator/pattern", "deployer/internal/environment"},
		{"deployer/internal/policy", "deployer/internal/image"},
		{"deployer/internal/lambdahost", "deployer/internal/emulator"},
	} {
		if forbidden(wrong[0], roomOf(wrong[0]), wrong[1]) == "" {
			t.Errorf("%s may import %s", wrong[0], wrong[1])
		}
	}
}
