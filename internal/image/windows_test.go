package image

import (
	"strings"
	"testing"
)

// TestFitsWindows compares the version of Windows that an image is built for with the one that a task needs.
func TestFitsWindows(t *testing.T) {
	t.Parallel()
	const w2016, w2019, w2004, w20H2, w2022, w2025 = "10.0.14393", "10.0.17763", "10.0.19041", "10.0.19042",
		"10.0.20348", "10.0.26100"
	for _, tt := range []struct {
		name   string
		host   string
		images string // versions of an index; "-" for one that names none
		want   Fit
	}{
		{"same build", w2019, w2019 + ".5329", Fits},
		{"the same build of another month", w2022, w2022 + ".169", Fits},
		{"newer than the host", w2019, w2022 + ".169", FitsNot},
		{"newer than the host, next release", w2004, w20H2 + ".1706", FitsNot},
		{"newer than a host that runs older ones", w2022, w2025 + ".1", FitsNot},
		{"older, which Hyper-V isolation could run", w2022, w2019 + ".5329", FitDoubtful},
		{"much older", w2025, w2016 + ".6614", FitDoubtful},
		{"older, on a host that runs it under process isolation", w2025, w2022 + ".169", FitDoubtful},
		{"between them", w2025, "10.0.25398.1", FitDoubtful},
		{"an index with the right one", w2019, w2022 + ".169 " + w2019 + ".5329", Fits},
		{"an index with a doubtful one", w2025, w2019 + ".1 " + w2022 + ".169", FitDoubtful},
		{"an index with newer ones", w2016, w2022 + ".169 " + w2019 + ".5329", FitsNot},
		{"the image names no version", w2019, "-", Fits},
		{"the task needs no version", "", w2022 + ".169", Fits},
		{"no build", w2019, "10.0", Fits},
		{"no version of Windows", w2019, "10.0.x.1", Fits},
		{"another major version", w2025, "11.0.30000.1", Fits},
	} {
		m := Manifest{}
		for version := range strings.FieldsSeq(tt.images) {
			m.Platforms = append(m.Platforms, Platform{OS: "windows", Architecture: "amd64",
				OSVersion: strings.Trim(version, "-")})
		}
		needs := Platform{OS: "windows", Architecture: "amd64", OSVersion: tt.host}
		if got := m.Fits(needs); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}
