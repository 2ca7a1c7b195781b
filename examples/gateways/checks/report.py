"""What was expected and what was seen."""


class Report:
    """Prints every check as it is made, and counts."""

    def __init__(self):
        self.passed = self.failed = 0
        self.skipped = []

    def heading(self, text):
        """Begins a server."""
        print(f"\n{text}", flush=True)

    def check(self, what, expected, seen):
        """Compares."""
        if expected == seen:
            self.passed += 1
            print(f"  ok    {what}: {seen}", flush=True)
        else:
            self.failed += 1
            print(f"  FAIL  {what}: expected {expected}, seen {seen}", flush=True)

    def holds(self, what, condition, seen):
        """Something that is right or wrong; `seen` explains what is wrong."""
        self.check(what, "right", "right" if condition else seen)

    def fail(self, what):
        """Something that did not even come as far as a check."""
        self.failed += 1
        print(f"  FAIL  {what}", flush=True)

    def skip(self, name, why):
        """A server that can't be had."""
        self.skipped.append(name)
        print(f"\n{name}: SKIPPED, {why}", flush=True)

    def end(self):
        """The last line, and the exit code."""
        if self.skipped:
            print(f"\nskipped, so nothing is known about them: {', '.join(self.skipped)}")
        print(f"\n{self.passed} passed, {self.failed} failed, {len(self.skipped)} skipped")
        return 1 if self.failed else 0
