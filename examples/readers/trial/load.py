"""Keeps users busy, so that there is something to read while readers are killed."""

import itertools
import threading
import time


class Load(threading.Thread):
    """Changes users through GraphQL, one command after the other, until it is told to stop."""

    def __init__(self, muster, users, pause):
        super().__init__(daemon=True)
        self.muster, self.users, self.pause = muster, users, pause
        self.done, self.failure, self.ended = 0, None, threading.Event()

    def run(self):
        try:
            self.keep_busy()
        except Exception as failure:  # told by stop(), in the thread that asked for the load
            self.failure = failure

    def keep_busy(self):
        """New users first, then changes of theirs in turn."""
        people = []
        for number in itertools.count():
            if self.ended.wait(self.pause):
                return
            if len(people) < self.users:
                name = f"reader-{time.time_ns()}"
                people.append(self.muster.newcomer(name).id)
            else:
                self.change(people[number % self.users], number // self.users)
            self.done += 1

    def change(self, user, number):
        """One of three kinds of changes. Texts outside ASCII show who takes bytes for characters."""
        if number % 3 == 0:
            self.muster.change("updateProfile", "UpdateProfileInput", "", userId=user, firstName=f"Zoë 😀 {number}")
        elif number % 3 == 1:
            self.muster.change("suspendUser", "SuspendUserInput", "", userId=user, reason="«im Urlaub», \"zurück\" im Mai")
        else:
            self.muster.change("reactivateUser", "ReactivateUserInput", "", userId=user)

    def stop(self):
        """Ends it, and tells what went wrong."""
        self.ended.set()
        self.join()
        if self.failure:
            raise self.failure
