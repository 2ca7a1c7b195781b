// A receiver of Muster's webhooks, with the official library.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func main() {
	webhook, err := standardwebhooks.NewWebhook(os.Getenv("WEBHOOK_SECRET"))
	if err != nil {
		log.Fatal(err)
	}
	receive := func(writer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(io.LimitReader(request.Body, 1<<20))
		if err != nil || webhook.Verify(body, request.Header) != nil {
			writer.WriteHeader(http.StatusUnauthorized)
			return
		}
		// The answer first; the work itself comes afterwards.
		writer.WriteHeader(http.StatusNoContent)
		var event struct{ Type, Sequence string }
		if json.Unmarshal(body, &event) == nil {
			// The sequence is text of twenty digits, so that it sorts.
			fmt.Println("verified", event.Type, strings.TrimLeft(event.Sequence, "0"))
		}
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(receive)))
}
