"""Writes records into the topic of user events and aborts their transaction. Runs with the packages of kafka-python.

    aborted.py BROKERS TOPIC

Exit code 0: who reads what is not committed finds them.
"""

import sys
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition

PARTITIONS, RECORDS = 8, 20
brokers, topic = sys.argv[1:]
producer = Producer({"bootstrap.servers": brokers, "transactional.id": f"readers-{uuid.uuid4()}", "compression.type": "lz4"})
producer.init_transactions(60)
producer.begin_transaction()
for number in range(RECORDS):
    user = f"user_{uuid.uuid4()}"
    attributes = {"specversion": "1.0", "id": str(uuid.uuid4()), "type": "muster.user.suspended", "source": "/muster"}
    attributes |= {"time": "2026-01-01T00:00:00.000000Z", "subject": user, "sequence": "00000000000000000001"}
    headers = {f"ce_{name}": value for name, value in attributes.items()} | {"content-type": "application/json"}
    producer.produce(topic, key=user, value='{"reason":"never"}', headers=headers, partition=number % PARTITIONS)
# On the brokers, so that who reads what is not committed sees them.
producer.flush(60)
producer.abort_transaction(60)

reckless = {"bootstrap.servers": brokers, "group.id": "readers", "isolation.level": "read_uncommitted"}
consumer = Consumer(reckless)
consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
found = 0
while found < RECORDS:
    message = consumer.poll(30)
    if message is None or message.error():
        raise SystemExit(f"only {found} of the aborted records are there")
    found += message.value() == b'{"reason":"never"}'
consumer.close()
