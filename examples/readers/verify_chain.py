#!/usr/bin/env python3
"""Verifies the hash chain of an export of Muster's log, by docs/log-format.md alone.

    muster log tail --until-end | examples/readers/verify_chain.py
    zstd -dc export.zst | examples/readers/verify_chain.py

Prints a line per partition: records, and the last value, which is worth keeping elsewhere.
Exit code: 0 whole, 1 broken, 2 not an export.
"""

import hashlib
import json
import struct
import sys

CHAINED = {"user-events", "group-events"}
ATTRIBUTES = (
    "ce_specversion ce_id ce_type ce_source ce_time ce_subject ce_dataschema ce_sequence ce_commandid "
    "ce_commanddigest ce_correlationid ce_actor ce_actorname ce_actorrole ce_client"
).split()


def part(data):
    """The length and the bytes; of what is absent the greatest length and nothing."""
    return b"\xff\xff\xff\xff" if data is None else struct.pack(">I", len(data)) + data


def value_after(value, key, headers, body):
    texts = [key] + [headers.get(name) for name in ATTRIBUTES]
    parts = [part(None if text is None else text.encode()) for text in texts]
    return hashlib.sha256(value + b"".join(parts) + part(body)).digest()


def read(line):
    """A record and the bytes of its body, which JSON that was read and written again would not keep."""
    start = len('{"data":')
    data, end = json.JSONDecoder().raw_decode(line, start)
    body = data if data is None or isinstance(data, str) else line[start:end]
    return json.loads(line), None if body is None else body.encode()


def main(paths):
    values, counts, odd, skipped = {}, {}, {}, set()
    for path in paths or [0]:
        with open(path, encoding="utf-8", newline="\n") as export:
            for line in (line for line in export if line.startswith('{"data":')):
                record, body = read(line)
                place = (record["stream"], record["partition"])
                if place[0] not in CHAINED:
                    continue
                key, headers = record["key"], record["headers"]
                value = value_after(values.setdefault(place, bytes(32)), key, headers, body)
                counts[place] = counts.get(place, 0) + 1
                is_claim = key == "claim" and headers.get("ce_type") == "muster.log.claimed"
                if headers.get("ce_chain") != (None if is_claim else value.hex()):
                    # The chain goes past a skipped record as if it were not there; its skip may come later.
                    odd.setdefault(place, []).append(record["offset"])
                    continue
                values[place] = value
                if headers.get("ce_type") == "muster.deployment.record_skipped":
                    skipped.add((record["data"]["place"], record["data"]["offset"]))
    if not values:
        raise ValueError("there is no chained record")
    broken = False
    for place in sorted(values):
        name = f"{place[0]}-{place[1]}"
        first = next((offset for offset in odd.get(place, []) if (name, offset) not in skipped), None)
        broken |= first is not None
        print(f"{name}: {counts[place]} records, {f'whole, {values[place].hex()}' if first is None else f'BROKEN at offset {first}'}")
    return int(broken)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, ValueError, KeyError) as error:
        print(f"verify_chain.py: this is no export of a log: {error!r}", file=sys.stderr)
        sys.exit(2)
