package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"sekisho/policy"
)

// readZones always returns zones: where some are faulty, their names alone,
// so that rules and clients can still be held against them.
func readZones(t *table) *policy.Zones {
	var list, names []policy.Zone
	for _, name := range slices.Sorted(maps.Keys(t.values)) {
		z := t.table(name)
		if name == "calling-station-id" || name == "peer" || name == "session-tracking" || name == "" {
			z.r.fault(z.key, "can't be the name of a zone; choose another")
			continue
		}
		zone := policy.Zone{
			Name:     name,
			Prefixes: z.prefixes("prefixes"),
			Shared:   z.flag("shared", false),
			Enrol:    z.flag("enrol", false),
		}
		for i, prefix := range zone.Prefixes {
			if prefix.Bits() == 0 && name != policy.OffCampus {
				z.fault(fmt.Sprintf("prefixes[%d]", i), "%v is the whole world; name the networks of this zone", prefix)
			}
		}
		z.close()
		list = append(list, zone)
		names = append(names, policy.Zone{Name: name})
	}
	t.r.zones = list
	zones, err := policy.NewZones(list)
	var faults policy.Faults
	if errors.As(err, &faults) {
		for _, f := range faults {
			if key := f.Zone + "." + f.Key; !t.r.faults.blames(t.name(key)) {
				t.fault(key, "%s", f.Text)
			}
		}
	}
	if err != nil {
		zones, _ = policy.NewZones(names)
	}
	return zones
}
