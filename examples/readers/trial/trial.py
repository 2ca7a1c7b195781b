"""Kills a reader again and again while there is something to read, and looks at what it has seen in the end."""

import datetime
import json
import os
import pathlib
import subprocess
import time

from checks.processes import Broken, last_lines

# Seconds for one step. Where many share the processors, a JVM alone may need a minute before it reads.
PATIENCE = 180


class Reader:
    """A reader that is started and killed many times over, with one cursor."""

    def __init__(self, program, muster, folder):
        self.program, self.muster, self.folder = program, muster, folder
        self.cursor, self.file = f"{folder}/cursor.json", f"{folder}/events.ndjson"
        self.env = dict(os.environ)
        self.runs, self.process = 0, None

    def start(self):
        """Starts it where its cursor is."""
        self.runs += 1
        command = list(self.program.command)
        if self.program.way == "kafka":
            # What is printed after a start goes into a file of its own: a kill may tear the last line.
            self.file = f"{self.folder}/events-{self.runs}.ndjson"
            command += [self.muster.kafka, self.muster.topic, self.cursor]
        else:
            self.env["MUSTER_TOKEN"] = self.muster.credentials
            command += [self.muster.url, self.file, self.cursor]
        with open(f"{self.folder}/events-{self.runs}.ndjson", "wb") as out, open(f"{self.folder}/errors-{self.runs}", "wb") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=self.env)

    def kill(self):
        """SIGKILL, which no program can answer. One that had ended by itself is a failure."""
        ended = self.process.poll()
        if ended is not None:
            raise Broken(f"it ended by itself with {ended}:\n{last_lines(f'{self.folder}/errors-{self.runs}')}")
        self.process.kill()
        self.process.wait()

    def size(self):
        """How much it has written."""
        return os.path.getsize(self.file) if os.path.exists(self.file) else 0

    def wait_for_output(self, seconds):
        """Waits until it has written something more."""
        before, deadline = self.size(), time.monotonic() + seconds
        while self.size() <= before:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Broken(f"it writes nothing:\n{last_lines(f'{self.folder}/errors-{self.runs}')}")
            time.sleep(0.005)

    def seen(self):
        """What each run has written. Of sse all runs have written one file."""
        files = [f"{self.folder}/events-{run + 1}.ndjson" for run in range(self.runs)] if self.program.way == "kafka" else [self.file]
        return [whole_lines(name) for name in files]


def whole_lines(name):
    """The events of a file. A line without an end was torn by a kill: it was never handed on."""
    if not os.path.exists(name):
        return []
    with open(name, "rb") as file:
        return [json.loads(line) for line in file if line.endswith(b"\n")]


def kill_again_and_again(reader, kills, chance):
    """Starts and kills it at random moments. Returns how many kills met it at work."""
    reader.start()
    begun = time.monotonic()
    reader.wait_for_output(PATIENCE)
    until_it_writes = time.monotonic() - begun
    # A third at any moment since the start, also before it is ready.
    at_work, early = 0, set(chance.sample(range(kills), kills // 3))
    for number in range(kills):
        if number:
            reader.start()
        before = reader.size()
        if number in early:
            time.sleep(chance.uniform(0, 1.5 * until_it_writes))
        else:
            # Soon after it has written: between an event and its cursor, or between two events.
            reader.wait_for_output(PATIENCE)
            time.sleep(chance.choice([0, chance.uniform(0, 0.02), chance.uniform(0, 0.5)]))
        at_work += reader.size() > before
        reader.kill()
    return at_work


def catch_up(reader, muster):
    """Lets it read to the end, and returns what is in the log."""
    reader.start()
    expected = muster.events()
    wanted, before, deadline = {event["id"] for event in expected}, -1, 0
    while missing := wanted - {event["id"] for run in reader.seen() for event in run}:
        # Slow is not stuck: it has its time for each step.
        if len(missing) != before:
            before, deadline = len(missing), time.monotonic() + PATIENCE
        elif time.monotonic() > deadline:
            break
        if reader.process.poll() is not None:
            reader.kill()
        time.sleep(0.1)
    return expected


def ends_on_a_foreign_cursor(reader):
    """What happens with a cursor that can't be of this log: the reader has to end with an error."""
    reader.kill()
    foreign = {"0": 10**9} if reader.program.way == "kafka" else {"position": "elsewhere", "length": os.path.getsize(reader.file)}
    pathlib.Path(reader.cursor).write_text(json.dumps(foreign))
    reader.start()
    try:
        code = reader.process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        return "it does not end"
    return "an error" if code > 0 else f"code {code}"


def judge(runs, expected, report, doubles_allowed):
    """Compares what was seen with the log."""
    told = {event["id"]: event for event in expected}
    high, repeated, disorder = {}, 0, []
    for run in runs:
        last = {}
        for event in run:
            subject, number = event["subject"], int(event["sequence"])
            if number > high.get(subject, 0) + 1 or number != last.get(subject, number - 1) + 1:
                disorder.append(f"{subject} {number}")
            repeated += number <= high.get(subject, 0)
            high[subject] = max(number, high.get(subject, 0))
            last[subject] = number
    seen = {event["id"]: event for run in runs for event in run}
    report.check("events that are missing", 0, len(told.keys() - seen.keys()))
    report.check("events that are not in the log", 0, len(seen.keys() - told.keys()))
    report.check("events out of order within their user", [], disorder[:3])
    changed = [id for id in told.keys() & seen.keys() if not same(told[id], seen[id])]
    report.check("events that came out as others", [], changed[:3])
    if doubles_allowed:
        print(f"        {len(told)} events, {repeated} of them again after a kill", flush=True)
    else:
        report.check(f"events of {len(told)} that came again", 0, repeated)


def same(told, seen):
    """Whether a reader made the same event of a record: every attribute, the time to the microsecond, and the data."""
    # What is only in the headers of Kafka, or only there with another reader, is left out.
    names = told.keys() - {"commanddigest", "client", "time"}
    return all(told[name] == seen.get(name) for name in names) and instant(told["time"]) == instant(seen["time"])


def instant(text):
    """A time with up to six digits of a second. Python before 3.11 reads six alone."""
    head, _, fraction = text.replace("+00:00", "").rstrip("Z").partition(".")
    return datetime.datetime.fromisoformat(f"{head}.{fraction.ljust(6, '0')}")
