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
	body := apiclient.Personalize{
		Identity:   apiclient.Identity{ExternalID: "42"},
		Attributes: apiclient.Attributes{FirstName: apiclient.String("Ana")},
	}
	answer, err := client.Do(ctx, apiclient.PersonalizeCall("device-1", body.AppendJSON(nil), apiclient.PersonalizeOptions{KeepAsLead: true}))
	fmt.Println(string(answer.Body), err)

	_, err = client.Do(ctx, apiclient.GetCall("device-2"))
	if refusal, ok := errors.AsType[*apiclient.Error](err); ok {
		fmt.Println(refusal.Code, refusal.Temporary())
	}
	// Output:
	// {"externalId":"42","firstName":"Ana"} <nil>
	// 48013 false
}
