// Sends one event and a batch to Estat with Go's standard library, and says what was acknowledged.
//
//	ESTAT_URL=http://127.0.0.1:8080 ESTAT_KEY=… go run send.go
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const attempts = 8

var notNow = map[int]bool{408: true, 429: true, 500: true, 502: true, 503: true, 504: true}

// refused: the server will not take it, however often it is sent.
type refused struct {
	status int
	detail string
}

func (r refused) Error() string { return fmt.Sprintf("%d: %s", r.status, r.detail) }

type estat struct {
	url, key string
	client   http.Client
}

type event map[string]any

// send sends one event.
func (e *estat) send(one event) error {
	body, err := json.Marshal(one)
	if err != nil {
		return err
	}
	head, _, err := e.post("/collect", "application/json", body)
	if err == nil {
		fmt.Printf("one event: %s, in %s\n", head.Get("X-Estat-Ack"), head.Get("X-Estat-Key"))
	}
	return err
}

// sendBatch sends many; in halves, if the whole is too large.
func (e *estat) sendBatch(events []event) error {
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines) // one event a line
	for _, one := range events {
		if err := encoder.Encode(one); err != nil {
			return err
		}
	}
	head, answer, err := e.post("/collect/batch", "application/x-ndjson", lines.Bytes())
	var no refused
	if errors.As(err, &no) && no.status == http.StatusRequestEntityTooLarge && len(events) > 1 {
		half := len(events) / 2
		if err := e.sendBatch(events[:half]); err != nil {
			return err
		}
		return e.sendBatch(events[half:])
	}
	if err == nil {
		fmt.Printf("batch: %s, in %s; %s\n", head.Get("X-Estat-Ack"), head.Get("X-Estat-Key"), answer)
	}
	return err
}

func (e *estat) post(path, mediaType string, body []byte) (http.Header, []byte, error) {
	// The same for each attempt: what is stored twice, because an answer was lost, can be found by it.
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return nil, nil, err
	}
	var reason string
	for attempt := 0; attempt < attempts; attempt++ {
		var asked time.Duration
		request, err := http.NewRequest(http.MethodPost, e.url+path, bytes.NewReader(body))
		if err != nil {
			return nil, nil, err
		}
		request.Header.Set("Content-Type", mediaType)
		request.Header.Set("Idempotency-Key", hex.EncodeToString(id))
		if e.key != "" {
			request.Header.Set("X-Api-Key", e.key)
		}
		if answer, err := e.client.Do(request); err != nil {
			reason = err.Error() // no answer: nobody knows, so it is sent again
		} else {
			text, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			ok := answer.StatusCode/100 == 2
			if ok && answer.Header.Get("X-Estat-Ack") != "" { // without it the answer is not Estat's: a portal or a proxy says 200 as well
				return answer.Header, text, nil
			}
			if !ok && !notNow[answer.StatusCode] {
				return nil, nil, refused{answer.StatusCode, string(text)}
			}
			reason = answer.Status
			if ok {
				reason = "no X-Estat-Ack"
			}
			if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil {
				asked = time.Duration(seconds) * time.Second
			}
		}
		if attempt+1 < attempts {
			pause := 250 * time.Millisecond << attempt
			if asked > pause {
				pause = asked
			}
			pause += time.Duration(mathrand.Int63n(int64(pause)/2 + 1)) // so that not all come at once
			fmt.Fprintf(os.Stderr, "%s: %s, again in %.1f s\n", path, reason, pause.Seconds())
			time.Sleep(pause)
		}
	}
	return nil, nil, fmt.Errorf("%s: given up after %d attempts; last: %s", path, attempts, reason)
}

func main() {
	url := os.Getenv("ESTAT_URL")
	if url == "" {
		url = "http://127.0.0.1:8080"
	}
	e := &estat{url: strings.TrimSuffix(url, "/"), key: os.Getenv("ESTAT_KEY"), client: http.Client{Timeout: 30 * time.Second}}
	err := e.send(event{"page": "/home", "from": "go"})
	if err == nil {
		err = e.sendBatch([]event{{"page": "/a", "from": "go"}, {"page": "/b", "from": "go"}, {"page": "/c", "from": "go"}})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "not taken:", err)
		os.Exit(1)
	}
}
