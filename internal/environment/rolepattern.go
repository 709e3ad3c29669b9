package environment

// Reach is a kind of resource of which the function's role may have name patterns instead of the exact names.
type Reach string

// The kinds. The later ones reach further into other projects and environments.
const (
	ReachRepositories Reach = "repositories"
	ReachSchedules    Reach = "schedules"
	ReachRoles        Reach = "roles"
	ReachFamilies     Reach = "families"
)

// Reaches are all kinds, in the order of the documentation.
var Reaches = []Reach{ReachRepositories, ReachSchedules, ReachRoles, ReachFamilies}
