package doctor

import (
	"fmt"

	"deployer/internal/journal"
)

// tags reports whether the family's own tags leave space for the journal, which
// deployments write as tags of the revision.
func (f *findings) tags(own int) {
	const check = "tags"
	switch {
	case own > journal.OwnTagsLimit:
		f.add(check, Problem, fmt.Sprintf("the family has %d tags of its own, of %d that ECS allows: rollbacks are "+
			"refused above %d, and all deployments above %d (TooManyTags)", own, journal.MaxTags, journal.OwnTagsLimit,
			journal.OwnTagsLimit+1), remove(own))
	case own > journal.MaxOwnTags:
		f.add(check, Warning, fmt.Sprintf("the family has %d tags of its own, and more than %d leave too little space "+
			"for the journal: deployments leave out its reason, actor, source or previous revision, and say so", own,
			journal.MaxOwnTags), remove(own))
	}
}

// remove returns the fix for a family with too many tags of its own.
func remove(own int) string {
	return fmt.Sprintf("remove %d of the family's tags in the infrastructure", own-journal.MaxOwnTags)
}
