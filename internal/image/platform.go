package image

import (
	"cmp"
	"strings"
)

// Platform is an operating system and a CPU architecture as images name them, such as
// linux and amd64. As what a task needs, "" stands for any.
type Platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	// OSVersion is the version of Windows, such as "10.0.17763.5329"; "" if it is not known. What a task needs has
	// only the build: "10.0.17763".
	OSVersion string `json:"os.version,omitempty"`
}

// Name returns the platform for messages, with its version of Windows: "windows/amd64 10.0.17763".
func (p Platform) Name() string {
	return strings.TrimSuffix(p.String()+" "+p.OSVersion, " ")
}

// String returns the platform as docker buildx names it, such as "linux/arm64".
func (p Platform) String() string {
	name := func(s string) string {
		if s == "" {
			return "any"
		}
		return s
	}
	return name(p.OS) + "/" + name(p.Architecture)
}

// unknown reports whether the platform is that of an attestation in an index.
func (p *Platform) unknown() bool {
	return p != nil && (strings.EqualFold(p.OS, "unknown") || strings.EqualFold(p.Architecture, "unknown"))
}

// synonyms are names of architectures that container runtimes treat as others.
var synonyms = map[string]string{
	"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386", "i686": "386",
	"armhf": "arm", "armel": "arm",
}

// normal returns the platform under the names of Go, which images use.
func (p Platform) normal() Platform {
	p.OS, p.Architecture = strings.ToLower(p.OS), strings.ToLower(p.Architecture)
	if p.OS != "windows" { // other systems have versions that nothing compares
		p.OSVersion = ""
	}
	if name := synonyms[p.Architecture]; name != "" {
		p.Architecture = name
	}
	return p
}

// older are the architectures that a CPU can run besides its own. The variants of an
// architecture (arm64/v8, amd64/v3) are not compared: the CPU of a task is not known
// that exactly.
var older = map[string]string{"amd64": "386", "arm64": "arm"}

// runs reports whether a task that needs p can run an image that is built for q.
func (p Platform) runs(q Platform) bool {
	return (p.OS == "" || q.OS == "" || p.OS == q.OS) &&
		(p.Architecture == "" || q.Architecture == "" || p.Architecture == q.Architecture ||
			q.Architecture == older[p.Architecture])
}

// onECS reports whether ECS has anything that can run an image of the platform: its container
// agent exists for Linux and Windows, on x86 and ARM (RuntimePlatform in the Amazon ECS API
// reference).
func (p Platform) onECS() bool {
	system := p.OS == "" || p.OS == "linux" || p.OS == "windows"
	switch p.Architecture {
	case "", "amd64", "386", "arm64", "arm":
		return system
	}
	return false
}

// isModule reports whether the platform is that of a WebAssembly module, such as wasi/wasm or
// wasip1/wasm.
func (p *Platform) isModule() bool {
	return p != nil && strings.HasPrefix(p.normal().Architecture, "wasm")
}

// OrDefault returns the platform with linux and amd64 in the place of what it leaves out.
func (p Platform) OrDefault() Platform {
	p.OS, p.Architecture = cmp.Or(p.OS, "linux"), cmp.Or(p.Architecture, "amd64")
	return p
}

// IsAny reports whether a task can run images of any platform.
func (p Platform) IsAny() bool { return p.OS == "" && p.Architecture == "" }

// Fit is whether an image can run where a task runs.
type Fit int

// The answers of [Manifest.Fits].
const (
	FitUnknown Fit = iota // the manifest does not say
	Fits
	FitDoubtful // it is built for an older version of Windows than the host's
	FitsNot
)

// Fits reports whether the image is built for the platform that a task needs. An image that
// nothing in ECS can run, such as one for darwin only, does not fit any task.
func (m Manifest) Fits(want Platform) Fit {
	best := FitsNot
	for _, p := range m.Platforms {
		if !p.onECS() || !want.runs(p) {
			continue
		}
		switch fit := onWindows(want.OSVersion, p.OSVersion); fit {
		case Fits:
			return Fits
		case FitDoubtful:
			best = fit
		}
	}
	switch unknown := m.Partial || len(m.Platforms) == 0; {
	case unknown && want.IsAny():
		return Fits
	case unknown:
		return FitUnknown
	}
	return best
}

// PlatformNames returns the platforms of the image for messages.
func (m Manifest) PlatformNames() string {
	names := make([]string, len(m.Platforms))
	for i, p := range m.Platforms {
		names[i] = p.Name()
	}
	return strings.Join(names, ", ")
}
