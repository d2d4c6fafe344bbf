"""An outside program on Redis, as workflows do it: pushes, takes and brings back.

push URL LIST ITEM...        pushes items, as texts
lock URL CHAT                locks a chat as the old scripts do; prints whether it could, and for how many seconds it is locked
stage URL STAGE take         takes one item and is killed before it brings anything back
stage URL STAGE do           does the stage until it is killed; prints each text that it answers or sends
"""

import json
import os
import signal
import sys

import redis


def offers(stage):
    return "queue:debounce:pending" if stage == "batch" else f"queue:stage:{stage}"


def result(connection, stage, item):
    answer = {"item_id": item["item_id"]}
    if stage == "batch":
        # As the old debouncers do: read what waits there.
        texts = [json.loads(one)["text"] for one in connection.lrange(item["queue_key"], 0, -1)]
        assert texts, item
    elif stage == "resolve":
        answer["client"] = {"name": "Anna of elsewhere"}
    elif stage == "appeal":
        answer["responder"] = "ai"
    elif stage == "respond":
        answer["text"] = "Elsewhere: " + item["text"]
    elif stage == "send":
        # Offered again, it was sent already.
        connection.hsetnx("test:sent", item["item_id"], item["message_text"])
        answer["external_message_id"] = "elsewhere-" + item["item_id"]
    return answer


def do(connection, stage):
    while True:
        taken = connection.blpop(offers(stage), timeout=1)
        if taken is None:
            continue
        item = json.loads(taken[1])
        connection.rpush(f"queue:stage:{stage}:done", json.dumps(result(connection, stage, item)))


def main():
    what, url = sys.argv[1:3]
    connection = redis.Redis.from_url(url, client_name="outside")
    if what == "push":
        connection.rpush(sys.argv[3], *sys.argv[4:])
    elif what == "lock":
        key = f"lock:batch:{sys.argv[3]}"
        taken = connection.set(key, "outside", nx=True, ex=300)
        print(json.dumps({"taken": bool(taken), "left": connection.ttl(key)}))
    elif sys.argv[4] == "take":
        assert connection.blpop(offers(sys.argv[3]), timeout=60)
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        do(connection, sys.argv[3])


main()
