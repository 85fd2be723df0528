package apiclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"pushbatch/apiclient"
)

func Example() {
	platform := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"errorCode":48013,"errorMessage":"Push registration not found"}`)
			return
		}
		_, _ = io.WriteString(w, `{"externalId":"42","firstName":"Ana"}`)
	}))
	defer platform.Close()

	client, err := apiclient.New(apiclient.Config{
		BaseURL: platform.URL, AppCode: "my-app", Auth: apiclient.AppKey("my-key"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	person, err := client.Personalize(ctx, "device-1", &apiclient.Personalize{
		Identity:   apiclient.Identity{ExternalID: "42"},
		Attributes: apiclient.Attributes{FirstName: apiclient.String("Ana")},
	}, apiclient.PersonalizeOptions{KeepAsLead: true})
	fmt.Println(*person.FirstName, err)

	_, err = client.GetRegistration(ctx, "device-2")
	if refusal, ok := errors.AsType[*apiclient.Error](err); ok {
		fmt.Println(refusal.Code, refusal.Temporary())
	}
	// Output:
	// Ana <nil>
	// 48013 false
}
