// Writes what happens to users into a file, read from the event stream: a CloudEvent per line, from the first one on.
//
//   MUSTER_TOKEN=id:secret node reader.mjs URL EVENTS CURSOR
//   MUSTER_TOKEN=… node reader.mjs https://muster.example/events/users events.ndjson cursor.json
//
// The token needs the scope EVENTS. CURSOR is a file with the position of the last event, and the length that EVENTS had
// with it. Killed at any moment, the program cuts off what it wrote after that and goes on there: each event stands in the
// file once. The cursor may therefore be a little behind, and is not written for each event.

import { existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { EventSource } from 'eventsource';

/** Replaces the file as a whole: a crash leaves the old cursor or the new one, never half of one. */
function save(path, cursor) {
  writeFileSync(`${path}.new`, JSON.stringify(cursor), { flush: true });
  renameSync(`${path}.new`, path);
}

/**
 * An EventSource gives a frame to listeners of its name alone, and a later release may have names that nobody has heard of.
 * This one gives every frame to `take`, in order. Browsers can't do that: there, add a listener for each type.
 */
class Everything extends EventSource {
  dispatchEvent(event) {
    if ('lastEventId' in event) this.take(event);
    return super.dispatchEvent(event);
  }
}

const [url, eventsPath, cursorPath] = process.argv.slice(2);
const authorization = `Basic ${Buffer.from(process.env.MUSTER_TOKEN).toString('base64')}`;
const cursor = existsSync(cursorPath) ? JSON.parse(readFileSync(cursorPath, 'utf8')) : { position: '', length: 0 };
const events = openSync(eventsPath, 'a');
if (fstatSync(events).size < cursor.length) throw new Error(`${eventsPath} is shorter than ${cursorPath} says`);
ftruncateSync(events, cursor.length);
let saved = 0;

function take({ type, data, lastEventId }) {
  // A frame of this name only says where we are.
  if (type !== 'muster.position') {
    const line = Buffer.from(`${data}\n`);
    for (let written = 0; written < line.length; ) written += writeSync(events, line, written);
    cursor.length += line.length;
  }
  cursor.position = lastEventId;
  // At the latest with the next position frame, four seconds after the last event.
  if (Date.now() > saved + 200) {
    fsyncSync(events);
    save(cursorPath, cursor);
    saved = Date.now();
  }
}

function connect() {
  let wait = 2000;
  const source = new Everything(`${url}?after=start`, {
    async fetch(input, init) {
      // Ours, and not the library's: it has none yet after a start. An empty one counts as absent, and one wins over `after`.
      const headers = { ...init.headers, authorization, 'Last-Event-ID': cursor.position };
      const answer = await fetch(input, { ...init, headers });
      wait = 1000 * Number(answer.headers.get('retry-after') ?? 2);
      return answer;
    },
  });
  source.take = (event) => {
    try {
      take(event);
    } catch (error) {
      // The library would take it for a broken connection and go on.
      console.error(error);
      process.exit(1);
    }
  };
  source.addEventListener('error', (error) => {
    console.error(`the connection is lost: ${error.message ?? 'it has ended'}`);
    // After a connection that ended, the library comes back by itself. After a status it never does.
    if (source.readyState !== EventSource.CLOSED) return;
    if (error.code === 503) {
      setTimeout(connect, wait);
    } else {
      // 401 and 403: the token. 410: a position of another log; begin anew only if you mean to.
      process.exitCode = 1;
    }
  });
}

connect();
