#!/usr/bin/env python3
"""Prints what happens to users, read from Kafka itself: a CloudEvent per line, from the first one on.

    reader.py BROKERS TOPIC CURSOR
    reader.py 127.0.0.1:9092 muster.user-events cursor.json

CURSOR is a file with the next offset of each partition. Killed at any moment, the program goes on there: it loses no event,
and may print the last few again (equal ids show it). Where that hurts, keep the cursor in the transaction of the effect.
"""

import json
import os
import pathlib
import sys

from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from cloudevents.core.formats.json import JSONFormat
from confluent_kafka import Consumer, KafkaException, TopicPartition

# An owner of a partition writes it for itself when it takes the partition over. It is about no user.
CLAIM = "muster.log.claimed"


def load(path):
    """The next offset of each partition, by its number as text."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return {}


def save(path, offsets):
    """Replaces the file as a whole: a crash leaves the old cursor or the new one, never half of one."""
    new = path.with_suffix(".new")
    with open(new, "w") as file:
        json.dump(offsets, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


def event_of(message):
    """The record as a CloudEvent. Its attributes are headers, its data is the body, and its key becomes `partitionkey`."""
    return from_binary_event(KafkaMessage(dict(message.headers() or []), message.key(), message.value()))


def main(brokers, topic, cursor):
    cursor = pathlib.Path(cursor)
    offsets = load(cursor)
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            # The library wants one. No group comes into being, since partitions are assigned by hand and nothing is committed.
            "group.id": "muster-reader",
            "enable.auto.commit": False,
            # The default here, but not everywhere: an aborted transaction has never happened.
            "isolation.level": "read_committed",
            # Events are kept permanently, so an offset that isn't there is that of another log. By default it would go to
            # the end and lose events.
            "auto.offset.reset": "error",
        }
    )
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    if not partitions:
        raise SystemExit(f"there is no topic {topic}")
    consumer.assign([TopicPartition(topic, number, offsets.get(str(number), 0)) for number in partitions])
    while True:
        messages = consumer.consume(num_messages=500, timeout=1)
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
            event = event_of(message)
            if event.get_type() != CLAIM:
                sys.stdout.buffer.write(JSONFormat().write(event) + b"\n")
            # Never the number of records read so far: control records and aborted transactions leave gaps.
            offsets[str(message.partition())] = message.offset() + 1
        if messages:
            # In this order: what the cursor has passed was handled.
            sys.stdout.flush()
            save(cursor, offsets)


if __name__ == "__main__":
    main(*sys.argv[1:])
