#!/usr/bin/env python3
"""Sends one event and a batch to Estat with Python's standard library, and says what was acknowledged.

    ESTAT_URL=http://127.0.0.1:8080 ESTAT_KEY=… python3 send.py
"""

import json
import os
import random
import sys
import time
import urllib.error
import urllib.request
import uuid

ATTEMPTS = 8
NOT_NOW = {408, 429, 500, 502, 503, 504}


class Refused(Exception):
    """The server will not take it, however often it is sent."""

    def __init__(self, status, detail):
        super().__init__(f"{status}: {detail}")
        self.status = status


class Estat:
    def __init__(self, url, key=None):
        self.url, self.key = url.rstrip("/"), key

    def send(self, event):
        """Sends one event; returns (ack level, key of the object that will hold it)."""
        return self._post("/collect", "application/json", json.dumps(event).encode())[:2]

    def send_batch(self, events):
        """Sends many; yields (ack level, keys, answer) of each piece: halves, if the whole is too large."""
        lines = "".join(json.dumps(event) + "\n" for event in events)
        try:
            ack, key, answer = self._post("/collect/batch", "application/x-ndjson", lines.encode())
            yield ack, key, json.loads(answer)
        except Refused as refused:
            if refused.status != 413 or len(events) < 2:
                raise
            half = len(events) // 2
            yield from self.send_batch(events[:half])
            yield from self.send_batch(events[half:])

    def _post(self, path, media_type, body):
        # The same for each attempt: what is stored twice, because an answer was lost, can be found by it.
        headers = {"Content-Type": media_type, "Idempotency-Key": uuid.uuid4().hex}
        if self.key:
            headers["X-Api-Key"] = self.key
        for attempt in range(ATTEMPTS):
            asked = 0
            try:
                with urllib.request.urlopen(urllib.request.Request(self.url + path, body, headers), timeout=30) as answer:
                    if answer.headers["X-Estat-Ack"]:
                        return answer.headers["X-Estat-Ack"], answer.headers["X-Estat-Key"], answer.read()
                    reason = "no X-Estat-Ack"  # not Estat's answer: a portal or a proxy says 200 as well
            except urllib.error.HTTPError as error:
                text = error.read().decode(errors="replace")
                if error.code not in NOT_NOW:
                    raise Refused(error.code, text) from None
                reason, asked = error.code, error.headers.get("Retry-After", "0")
            except OSError as error:  # no answer: nobody knows, so it is sent again
                reason = error
            if attempt + 1 < ATTEMPTS:
                pause = max(0.25 * 2**attempt, int(asked) if str(asked).isdigit() else 0)
                pause *= 1 + random.random() / 2  # so that not all come at once
                print(f"{path}: {reason}, again in {pause:.1f} s", file=sys.stderr)
                time.sleep(pause)
        raise TimeoutError(f"{path}: given up after {ATTEMPTS} attempts; last: {reason}")


def main():
    estat = Estat(os.environ.get("ESTAT_URL", "http://127.0.0.1:8080"), os.environ.get("ESTAT_KEY"))
    ack, key = estat.send({"page": "/home", "from": "python"})
    print(f"one event: {ack}, in {key}")
    for ack, keys, answer in estat.send_batch([{"page": page, "from": "python"} for page in ("/a", "/b", "/c")]):
        print(f"batch: {ack}, in {keys}; {answer['accepted']} accepted, {len(answer['rejected'])} rejected")


if __name__ == "__main__":
    try:
        main()
    except (Refused, OSError) as error:
        sys.exit(f"not taken: {error}")
