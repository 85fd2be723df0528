package simulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"pushbatch/apiclient/simulator"
)

func personalizeRequest(n int) *http.Request {
	body := fmt.Sprintf(`{"identity":{"externalId":"crm-%d","phoneNumber":"38591%07d","email":"user%d@example.com"},"attributes":{"firstName":"Željka","lastName":"Horvat","birthday":"1990-01-31T00:00:00Z","gender":"FEMALE","tags":["newsletter","VIP"],"customAttributes":{"score":%d,"city":"Zagreb"}}}`, n, n, n, n)
	r := httptest.NewRequest(http.MethodPost, pushPath+"device-"+strconv.Itoa(n)+"/personalize?forceDepersonalize=true", strings.NewReader(body))
	r.Header.Set("Authorization", "App key")
	r.Header.Set("AppCode", "app")
	r.Header.Set("Content-Type", "application/json")
	return r
}

// BenchmarkPersonalize is the handler alone: what the simulator takes from the
// client's two cores.
func BenchmarkPersonalize(b *testing.B) {
	sim := simulator.New(simulator.Config{Limits: &simulator.Limits{}})
	requests := make([]*http.Request, b.N)
	for i := range requests {
		requests[i] = personalizeRequest(i)
	}
	var next atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			w := httptest.NewRecorder()
			sim.ServeHTTP(w, requests[next.Add(1)-1])
			if w.Code != 200 {
				b.Errorf("answered %d %s", w.Code, w.Body)
			}
		}
	})
}

// BenchmarkListing reads pages of 1,000 out of four hundred thousand people.
func BenchmarkListing(b *testing.B) {
	sim := simulator.New(simulator.Config{Limits: &simulator.Limits{}})
	const total = 400_000
	sim.SeedPeople(total)
	page := func(n int) {
		r := httptest.NewRequest(http.MethodGet, personsPath+"?"+url.Values{"limit": {"1000"}, "page": {strconv.Itoa(n)}}.Encode(), nil)
		r.Header.Set("Authorization", "App key")
		w := httptest.NewRecorder()
		sim.ServeHTTP(w, r)
		if w.Code != 200 || w.Body.Len() < 100_000 {
			b.Fatalf("answered %d, %d bytes", w.Code, w.Body.Len())
		}
	}
	page(1) // builds the order
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		page(n*977%(total/1000) + 1)
	}
	b.ReportMetric(float64(n)*1000/b.Elapsed().Seconds(), "people/s")
}
