// Sends requests with a body by Go's net/http and counts what comes back: METHOD URL TYPE AUTHORIZATION SIZE COUNT.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

const workers = 4

// body hides what the bytes are, so that net/http can't send a request a second time by itself.
type body struct{ io.Reader }

func send(client *http.Client, method, url, kind, authorization string, content []byte) string {
	request, err := http.NewRequest(method, url, body{bytes.NewReader(content)})
	if err != nil {
		return err.Error()
	}
	request.ContentLength = int64(len(content))
	request.Header.Set("Content-Type", kind)
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	answer, err := client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return "body: " + err.Error()
	}
	return strconv.Itoa(answer.StatusCode)
}

func main() {
	method, url, kind, authorization := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	size, sizeErr := strconv.Atoi(os.Args[5])
	count, countErr := strconv.Atoi(os.Args[6])
	if sizeErr != nil || countErr != nil {
		fmt.Fprintln(os.Stderr, sizeErr, countErr)
		os.Exit(2)
	}
	client := &http.Client{
		Timeout:   time.Minute,
		Transport: &http.Transport{MaxIdleConnsPerHost: workers, Proxy: nil},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	content := bytes.Repeat([]byte("x"), size)
	seen, todo := map[string]int{}, make(chan struct{})
	var lock sync.Mutex
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for range todo {
				answer := send(client, method, url, kind, authorization, content)
				lock.Lock()
				seen[answer]++
				lock.Unlock()
			}
		})
	}
	for range count {
		todo <- struct{}{}
	}
	close(todo)
	group.Wait()
	_ = json.NewEncoder(os.Stdout).Encode(seen)
}
