// Prints what happens to users, read from Kafka itself: a CloudEvent per line, from the first one on.
//
//   node reader.mjs BROKERS TOPIC CURSOR
//   node reader.mjs 127.0.0.1:9092 muster.user-events cursor.json
//
// CURSOR is a file with the next offset of each partition. Killed at any moment, the program goes on there: it loses no
// event, and may print the last few again (equal ids show it). Where that hurts, keep the cursor in the transaction of the
// effect.

import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Consumer, FetchIsolationLevels, stringDeserializers } from '@platformatic/kafka';
import { Kafka } from 'cloudevents';

// An owner of a partition writes it for itself when it takes the partition over. It is about no user.
const CLAIM = 'muster.log.claimed';

/** The next offset of each partition, by its number. Offsets are 64 bits wide, so they are kept as text. */
const load = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {});

/** Replaces the file as a whole: a crash leaves the old cursor or the new one, never half of one. */
function save(path, offsets) {
  writeFileSync(`${path}.new`, JSON.stringify(offsets), { flush: true });
  renameSync(`${path}.new`, path);
}

/** The record as a CloudEvent. Its attributes are headers, its data is the body, and its key becomes `partitionkey`. */
function eventOf({ key, value, headers }) {
  const texts = Object.fromEntries(headers);
  // The SDK would round the time to milliseconds.
  return { ...Kafka.toEvent({ key, value, headers: texts }).toJSON(), time: texts.ce_time };
}

const [brokers, topic, cursor] = process.argv.slice(2);
const offsets = load(cursor);
const consumer = new Consumer({
  clientId: 'muster-reader',
  // Otherwise an option with a value that it does not take is passed over.
  strict: true,
  bootstrapBrokers: brokers.split(','),
  // This library assigns partitions by groups alone. A group of its own has all of them at once, where the old one of a
  // killed process would keep some until the broker misses it. Nothing is committed to it.
  groupId: `muster-reader-${randomUUID()}`,
  autocommit: false,
  deserializers: stringDeserializers,
  // An aborted transaction has never happened. The value is a number; the name as text would read everything.
  isolationLevel: FetchIsolationLevels.READ_COMMITTED,
});
const { topics } = await consumer.metadata({ topics: [topic] });
const partitions = [...Array(topics.get(topic).partitionsCount).keys()];
const stream = await consumer.consume({
  topics: [topic],
  mode: 'manual',
  offsets: partitions.map((partition) => ({ topic, partition, offset: BigInt(offsets[partition] ?? 0) })),
});
let unsaved = 0;
for await (const message of stream) {
  const event = eventOf(message);
  if (event.type !== CLAIM) {
    // Waits until it is written, so that the cursor is never ahead.
    await new Promise((done, failed) => process.stdout.write(`${JSON.stringify(event)}\n`, (error) => (error ? failed(error) : done())));
  }
  // Never the number of records read so far: control records and aborted transactions leave gaps.
  offsets[message.partition] = String(message.offset + 1n);
  if (++unsaved === 500 || stream.readableLength === 0) {
    save(cursor, offsets);
    unsaved = 0;
  }
}
