"""Proves a draw from its public pages alone, and prints the winners:  python3 verify.py https://shop.example/campaigns/prize"""
import hashlib, hmac, json, re, sys, urllib.request

def read(path):
    with urllib.request.urlopen(sys.argv[1].rstrip("/") + path) as answer:
        return answer.read()

draw, text = json.loads(read("/draw")), read("/draw/requests")
seed, beacon = bytes.fromhex(draw["seed"]), bytes.fromhex(draw["beacon"]["value"] if "beacon" in draw else "")
ids = text.split(b"\n")[:-1]
for holds, words in [
    (hashlib.sha256(seed).hexdigest() == draw["seedHash"], "another seed than the one whose hash was published"),
    (hashlib.sha256(text).hexdigest() == draw["cut"] and len(ids) == draw["requests"], "another list than the one that was drawn"),
    (re.fullmatch(rb"([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n)*", text), "a line of the list that is no id"),
    (all(one < after for one, after in zip(ids, ids[1:])), "a list that is not sorted, or has an id twice"),
]:
    holds or sys.exit(f"the proof fails: {words}")
ranking = sorted(ids, key=lambda id: hmac.digest(seed + beacon, id, "sha256"))
print("\n".join(id.decode() for id in ranking[:draw["winners"]]))
