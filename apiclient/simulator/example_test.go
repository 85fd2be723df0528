package simulator_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"pushbatch/apiclient/simulator"
)

func Example() {
	sim := simulator.New(simulator.Config{AppCodes: []string{"shop-app"}, Registrations: map[string][]string{"shop-app": {"device-1"}}})
	client := &http.Client{Transport: sim.RoundTripper()}
	for _, device := range []string{"device-1", "device-2"} {
		request, err := http.NewRequest(http.MethodPost, "https://platform/people/2/contactInformation/push/"+device+"/personalize",
			strings.NewReader(`{"identity":{"externalId":"customer-7"}}`))
		if err != nil {
			panic(err)
		}
		request.Header.Set("Authorization", "App key")
		request.Header.Set("AppCode", "shop-app")
		request.Header.Set("Content-Type", "application/json")
		answer, err := client.Do(request)
		if err != nil {
			panic(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			panic(err)
		}
		fmt.Println(answer.StatusCode, string(body))
	}
	fmt.Println(sim.Stats().ByOp)
	// Output:
	// 200 {"externalId":"customer-7","contactInformation":{}}
	// 400 {"errorCode":48013,"errorMessage":"Push registration not found"}
	// map[personalize:map[200:1 400:1]]
}
