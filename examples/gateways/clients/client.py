#!/usr/bin/env python3
"""Sends requests with a body by Python requests and counts what comes back: METHOD URL TYPE AUTHORIZATION SIZE COUNT."""

import collections
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import requests

WORKERS = 4


def work(method, url, headers, body, count):
    """Sends `count` requests one after the other, on connections that are kept."""
    seen = collections.Counter()
    with requests.Session() as session:
        session.trust_env = False
        for _ in range(count):
            try:
                answer = session.request(method, url, headers=headers, data=body, timeout=60, allow_redirects=False)
                seen[str(answer.status_code)] += 1
            except requests.RequestException as error:
                seen[f"{type(error).__name__}: {str(error)[-80:]}"] += 1
    return seen


def main(method, url, kind, authorization, size, count):
    """Shares the requests among the workers and prints the counts as JSON."""
    headers = {"Content-Type": kind} | ({"Authorization": authorization} if authorization else {})
    body, count = b"x" * int(size), int(count)
    shares = [count // WORKERS + (number < count % WORKERS) for number in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        seen = sum(pool.map(lambda share: work(method, url, headers, body, share), shares), collections.Counter())
    print(json.dumps(seen))


main(*sys.argv[1:])
