package simulator_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

type op struct{ method, path, body string }

// world makes n random requests that touch only devices and identity values
// of their own.
func world(name string, n int, seed uint64) []op {
	rng := rand.New(rand.NewPCG(seed, 0))
	pick := func(kind string) string { return kind + name + strconv.Itoa(rng.IntN(4)) }
	ops := make([]op, n)
	for i := range ops {
		device := pushPath + pick("d")
		switch rng.IntN(5) {
		case 0:
			ops[i] = op{"PATCH", device, fmt.Sprintf(`{"isPrimary":%t,"additionalData":{"n%d":%d}}`, rng.IntN(2) == 0, rng.IntN(3), i)}
		case 1:
			ops[i] = op{"POST", device + "/depersonalize", ""}
		default:
			query := fmt.Sprintf("?forceDepersonalize=%t&keepAsLead=%t&setDeviceAsPrimary=%t", rng.IntN(3) > 0, rng.IntN(2) == 0, rng.IntN(3) == 0)
			identity := `"externalId":"` + pick("x") + `"`
			if rng.IntN(2) == 0 {
				identity = `"email":"` + pick("e") + `@example.com"`
			}
			if rng.IntN(4) == 0 {
				identity = `"externalId":"` + pick("x") + `","email":"` + pick("e") + `@example.com"`
			}
			ops[i] = op{"POST", device + "/personalize" + query, fmt.Sprintf(`{"identity":{%s},"attributes":{"firstName":"F%d","tags":["t%d"]}}`, identity, i, rng.IntN(3))}
		}
	}
	return ops
}

func apply(call *caller, ops []op) []int {
	statuses := make([]int, len(ops))
	for i, o := range ops {
		statuses[i] = call.do(o.method, o.path, o.body).status
	}
	return statuses
}

// Requests that share nothing may come in any order: worlds applied side by
// side end as when applied one after the other, and every answer is the same.
func TestConcurrentEqualsSequential(t *testing.T) {
	t.Parallel()
	const worlds, requests = 8, 60
	for seed := range uint64(thorough.Of(2, 5)) {
		one := simulator.New(simulator.Config{Limits: &simulator.Limits{}})
		many := simulator.New(simulator.Config{Limits: &simulator.Limits{}})
		want, got := make([][]int, worlds), make([][]int, worlds)
		var group sync.WaitGroup
		for w := range worlds {
			ops := world("w"+strconv.Itoa(w)+"-", requests, seed*100+uint64(w))
			want[w] = apply(newCaller(t, one), ops)
			group.Go(func() { got[w] = apply(newCaller(t, many), ops) })
		}
		group.Wait()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("seed %d: answers (-sequential +concurrent):\n%s", seed, diff)
		}
		if diff := cmp.Diff(state(t, one), state(t, many)); diff != "" {
			t.Errorf("seed %d: state (-sequential +concurrent):\n%s", seed, diff)
		}
		if n := many.Stats().Overlaps; n != 0 {
			t.Errorf("seed %d: %d overlaps between requests that share nothing", seed, n)
		}
		checkInvariants(t, many)
	}
}

// checkInvariants: a device belongs to one person at most, a person has one
// primary device at most, an identity value belongs to one person.
func checkInvariants(t *testing.T, sim *simulator.Simulator) {
	t.Helper()
	call := newCaller(t, sim)
	owner, value := map[string]int64{}, map[string]int64{}
	for _, p := range list(t, call, map[string][]string{"limit": {"1000"}}).Persons {
		primary := 0
		for _, d := range p.ContactInformation.Push {
			if other, taken := owner[d.RegistrationID]; taken {
				t.Errorf("device %s belongs to %d and %d", d.RegistrationID, other, p.ID)
			}
			owner[d.RegistrationID] = p.ID
			if *d.IsPrimary {
				primary++
			}
		}
		if primary > 1 {
			t.Errorf("person %d has %d primary devices", p.ID, primary)
		}
		values := []string{"x" + p.ExternalID}
		for _, e := range p.ContactInformation.Email {
			values = append(values, "e"+e.Address)
		}
		for _, v := range values {
			if other, taken := value[v]; taken && v != "x" {
				t.Errorf("%s belongs to %d and %d", v, other, p.ID)
			}
			value[v] = p.ID
		}
	}
}
