package cloudformation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Repository is an ECR repository.
type Repository struct {
	LogicalID, Name, ARN string
	// Mutability is MUTABLE, IMMUTABLE, or one of these with exclusions: of the tags that match one of Exclusions.
	Mutability string
	Exclusions []string
	ScanOnPush bool
	// KMSKey is the key that encrypts it; "" for a key of S3's.
	KMSKey string
	// Policy and Lifecycle are its policies; "" if it has none.
	Policy, Lifecycle string
}

// Repositories returns the stack's ECR repositories, sorted by logical id.
func (t *Template) Repositories() []Repository { return t.repositories }

func (r *resolver) readRepository(id string, properties map[string]any) (Repository, error) {
	_, name, _, err := r.identify(id)
	if err != nil {
		return Repository{}, err
	}
	repo := Repository{LogicalID: id, Name: name, ARN: r.arn("ecr", r.stack.Region, "repository/"+name),
		Mutability: "MUTABLE"}
	for _, property := range slices.Sorted(maps.Keys(properties)) {
		if err := repo.read(property, properties[property]); err != nil {
			return Repository{}, fmt.Errorf("property %s: %w", property, err)
		}
	}
	return repo, nil
}

// read reads one property (CloudFormation template reference, "AWS::ECR::Repository").
func (repo *Repository) read(property string, value any) error {
	ok := true
	members, _ := value.(map[string]any)
	switch property {
	case "RepositoryName", "Tags":
	case "ImageTagMutability":
		repo.Mutability, ok = value.(string)
	case "ImageTagMutabilityExclusionFilters":
		list, _ := value.([]any)
		for _, element := range list {
			filter, _ := element.(map[string]any)
			text, isText := filter["ImageTagMutabilityExclusionFilterValue"].(string)
			if filter["ImageTagMutabilityExclusionFilterType"] != "WILDCARD" || !isText || len(filter) != 2 {
				return errors.New("a filter has the type WILDCARD and a value")
			}
			repo.Exclusions = append(repo.Exclusions, text)
		}
		ok = len(list) > 0
	case "ImageScanningConfiguration":
		repo.ScanOnPush, ok = members["ScanOnPush"].(bool)
	case "EncryptionConfiguration":
		repo.KMSKey, _ = members["KmsKey"].(string)
		ok = members["EncryptionType"] == "AES256" && repo.KMSKey == "" || members["EncryptionType"] == "KMS"
	case "LifecyclePolicy":
		repo.Lifecycle, ok = members["LifecyclePolicyText"].(string)
	case "RepositoryPolicyText":
		text, err := marshal(value)
		if err != nil {
			return err
		}
		repo.Policy, ok = string(text), members != nil
	default:
		return errors.New("it is not supported")
	}
	if !ok {
		return fmt.Errorf("it is %s", describe(value))
	}
	return nil
}
