#!/usr/bin/env python3
"""Writes what happens to users into a file, read from the event stream: a CloudEvent per line, from the first one on.

    MUSTER_TOKEN=id:secret reader.py URL EVENTS CURSOR
    MUSTER_TOKEN=… reader.py https://muster.example/events/users events.ndjson cursor.json

The token needs the scope EVENTS. CURSOR is a file with the position of the last event, and the length that EVENTS had with
it. Killed at any moment, the program cuts off what it wrote after that and goes on there: each event stands in the file once.
The cursor may therefore be a little behind, and is not written for each event.
"""

import json
import os
import pathlib
import sys
import time

import httpx
from httpx_sse import connect_sse


def load(path):
    """The position to go on after, and how long the file of events was then. Empty: from the first event on."""
    try:
        cursor = json.loads(path.read_text())
        return cursor["position"], cursor["length"]
    except FileNotFoundError:
        return "", 0


def save(path, position, length):
    """Replaces the file as a whole: a crash leaves the old cursor or the new one, never half of one."""
    new = path.with_suffix(".new")
    with open(new, "w") as file:
        json.dump({"position": position, "length": length}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


def frames(client, url, position):
    """One connection: frames until it ends. An answer that says no for good ends the program."""
    # An empty Last-Event-ID counts as absent, and a position wins over `after`.
    headers = {"Last-Event-ID": position}
    with connect_sse(client, "GET", url, params={"after": "start"}, headers=headers) as stream:
        answer = stream.response
        if answer.status_code == 503:
            time.sleep(int(answer.headers.get("retry-after", "2")))
        elif answer.status_code != 200:
            # 401 and 403: the token. 410: a position of another log; begin anew only if you mean to.
            answer.read()
            raise SystemExit(f"{answer.status_code}: {answer.text}")
        else:
            yield from stream.iter_sse()


def main(url, events, cursor):
    cursor = pathlib.Path(cursor)
    position, length = load(cursor)
    # A sign of life comes every four seconds. Silence is a broken connection.
    client = httpx.Client(auth=tuple(os.environ["MUSTER_TOKEN"].split(":", 1)), timeout=httpx.Timeout(10, read=15))
    wait, saved = 2.0, 0.0
    with open(events, "ab") as file:
        if file.tell() < length:
            raise SystemExit(f"{events} is shorter than {cursor} says")
        file.truncate(length)
        # So that tell() says so before the first write, too.
        file.seek(length)
        while True:
            try:
                for frame in frames(client, url, position):
                    wait = frame.retry / 1000 if frame.retry else wait
                    # The library hands out signs of life too, as frames without data. Their id is the one before.
                    if not frame.data:
                        continue
                    # The others only say where we are.
                    if frame.event != "muster.position":
                        file.write(frame.data.encode() + b"\n")
                        file.flush()
                    # At the latest with the next position frame, four seconds after the last event.
                    if time.monotonic() > saved + 0.2:
                        os.fsync(file.fileno())
                        save(cursor, frame.id, file.tell())
                        saved = time.monotonic()
                    position = frame.id
            except httpx.TransportError as error:
                print(f"the connection is lost: {error!r}", file=sys.stderr)
            # This library leaves coming back to its caller.
            time.sleep(wait)


if __name__ == "__main__":
    main(*sys.argv[1:])
