#!/usr/bin/env python3
"""Produces messages to Estat's topics and reads them page by page, with Python's standard library.

    ESTAT_URL=http://127.0.0.1:8080 ESTAT_KEY=… python3 topics.py

The write key needs "read": true to read. Needs the topic error-logs alone, which every server has.
"""

import json
import os
import random
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

ATTEMPTS = 8
NOT_NOW = {408, 429, 500, 502, 503, 504}


class Refused(Exception):
    """The server will not do it, however often it is asked."""


class Topics:
    def __init__(self, url, key=None):
        self.url, self.key = url.rstrip("/"), key

    def produce(self, topic, messages):
        """Sends messages of (key or None, value), all or none; returns their (partition, offset), in order."""
        body = {"messages": [{"key": key, "value": value} for key, value in messages]}
        # The same for each attempt: if an answer was lost, the next one has the first one's positions, and nothing is there twice.
        headers = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
        answer = self._ask("POST", "/api/produce/" + urllib.parse.quote(topic, safe=""), json.dumps(body).encode(), headers)
        return [(at["partition"], at["offset"]) for at in answer["positions"]]

    def messages(self, limit=100, **filters):
        """All messages that fit, the newest first; it asks for the next page when it is needed."""
        cursor = {}
        while True:
            asked = urllib.parse.urlencode({**filters, "limit": limit, **cursor})
            page = self._ask("GET", "/api/messages?" + asked, None, {})
            yield from page["data"]
            if not page["pagination"]["hasMore"]:
                return
            cursor = {"cursor": page["pagination"]["cursor"]}

    def _ask(self, method, path, body, headers):
        if self.key:
            headers["X-Api-Key"] = self.key
        for attempt in range(ATTEMPTS):
            asked = 0
            try:
                request = urllib.request.Request(self.url + path, body, headers, method=method)
                with urllib.request.urlopen(request, timeout=30) as answer:
                    if method == "GET" or answer.headers["X-Estat-Ack"]:
                        return json.loads(answer.read())
                    reason = "no X-Estat-Ack"  # not Estat's answer: a portal or a proxy says 200 as well
            except urllib.error.HTTPError as error:
                text = error.read().decode(errors="replace")
                if error.code not in NOT_NOW:
                    raise Refused(f"{error.code}: {text}") from error
                reason, asked = str(error.code), int(error.headers["Retry-After"] or 0)
            except (OSError, ValueError) as error:
                reason = str(error)
            pause = max(asked, 0.25 * 2**attempt) * (1 + random.random() / 2)
            print(f"{reason}, again in {pause:.1f} s", file=sys.stderr)
            time.sleep(pause)
        raise OSError(f"given up after {ATTEMPTS} attempts")


def main():
    topics = Topics(os.environ.get("ESTAT_URL", "http://127.0.0.1:8080"), os.environ.get("ESTAT_KEY"))
    run = uuid.uuid4().hex[:8]
    sent = [("example-" + run, {"service": "example", "message": f"number {number}"}) for number in range(25)]
    positions = topics.produce("error-logs", sent)
    print(f"in the log: partition {positions[0][0]}, offsets {positions[0][1]} to {positions[-1][1]}")

    # What was produced can be asked for once the sink has stored it, some milliseconds later.
    for _ in range(50):
        read = list(topics.messages(limit=10, topic="error-logs", key="example-" + run))
        if len(read) == len(sent):
            break
        time.sleep(0.2)
    print(f"stored: {len(read)}, newest first: {read[0]['value']['message'] if read else 'none'}")
    return 0 if [message["value"] for message in reversed(read)] == [value for _, value in sent] else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Refused, OSError) as error:
        sys.exit(f"not done: {error}")
