// Command apiclient lists photos with a client that was generated from the API's
// description. test/openapi_test.go generates, builds and runs it.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	_ "github.com/oapi-codegen/runtime" // what the generated code imports
)

func main() {
	if err := list(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func list(url, token string) error {
	bearer := func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
	c, err := NewClientWithResponses(url+"/api/v1", WithRequestEditorFn(bearer))
	if err != nil {
		return err
	}
	limit := 1
	params := &ListPhotosParams{Limit: &limit}
	for {
		answer, err := c.ListPhotosWithResponse(context.Background(), params)
		if err != nil {
			return err
		}
		if answer.JSON200 == nil {
			return fmt.Errorf("%s: %s", answer.Status(), answer.Body)
		}
		for _, p := range answer.JSON200.Photos {
			fmt.Println(p.Id, p.Path, p.Renditions[0].Sha256)
		}
		if answer.JSON200.Next == nil {
			return nil
		}
		params.After = answer.JSON200.Next
	}
}
