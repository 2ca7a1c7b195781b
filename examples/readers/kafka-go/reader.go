// Prints what happens to users, read from Kafka itself: a CloudEvent per line, from the first one on.
//
//	reader BROKERS TOPIC CURSOR
//	reader 127.0.0.1:9092 muster.user-events cursor.json
//
// CURSOR is a file with the next offset of each partition. Killed at any moment, the program goes on there: it loses no
// event, and may print the last few again (equal ids show it). Where that hurts, keep the cursor in the transaction of the
// effect.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"strings"

	"github.com/cloudevents/sdk-go/v2/binding/spec"
	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// An owner of a partition writes it for itself when it takes the partition over. It is about no user.
const claim = "muster.log.claimed"

var version = spec.WithPrefix("ce_").Version("1.0")

func load(path string) (offsets map[int32]int64, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[int32]int64{}, nil
	} else if err != nil {
		return nil, err
	}
	return offsets, json.Unmarshal(text, &offsets)
}

// save replaces the file as a whole: a crash leaves the old cursor or the new one, never half of one.
func save(path string, offsets map[int32]int64) error {
	file, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	defer file.Close()
	if err := errors.Join(json.NewEncoder(file).Encode(offsets), file.Sync()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// eventOf reads a record as a CloudEvent: its attributes are headers, its data is the body.
func eventOf(record *kgo.Record) (event.Event, error) {
	result := event.New()
	for _, header := range record.Headers {
		if header.Key == "content-type" {
			result.SetDataContentType(string(header.Value))
		} else if err := version.SetAttribute(result.Context, header.Key, string(header.Value)); err != nil {
			return result, err
		}
	}
	result.DataEncoded = record.Value
	return result, result.Validate()
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: reader BROKERS TOPIC CURSOR")
	}
	log.Fatal(run(context.Background(), os.Args[1], os.Args[2], os.Args[3]))
}

func run(ctx context.Context, brokers, topic, cursor string) error {
	offsets, unreadable := load(cursor)
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(brokers, ",")...),
		// The default reads aborted transactions too, which have never happened.
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// Events are kept permanently, so an offset that isn't there is that of another log. By default it would begin
		// anew and hide that.
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
	)
	if err := errors.Join(err, unreadable); err != nil {
		return err
	}
	topics, err := kadm.NewClient(client).ListTopics(ctx, topic)
	if err = errors.Join(err, topics.Error()); err != nil {
		return err
	}
	from := map[int32]kgo.Offset{}
	for _, partition := range topics[topic].Partitions.Numbers() {
		from[partition] = kgo.NewOffset().At(offsets[partition])
	}
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: from})
	out := json.NewEncoder(os.Stdout)
	for {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		for _, record := range fetches.Records() {
			event, err := eventOf(record)
			if err == nil && event.Type() != claim {
				err = out.Encode(event)
			}
			if err != nil {
				return fmt.Errorf("partition %d, offset %d: %w", record.Partition, record.Offset, err)
			}
			// Never the number of records read so far: control records and aborted transactions leave gaps.
			offsets[record.Partition] = record.Offset + 1
		}
		// Only after the events were written, so that the cursor is never ahead.
		if err := save(cursor, offsets); err != nil {
			return err
		}
	}
}
