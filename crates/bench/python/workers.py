"""The workers of the old conversations: lists in Redis, polled every 5, 10 and 3 seconds, as the workflows were.

A batch processor empties `queue:incoming`, debouncers wait for twenty seconds of silence, and the sender takes one answer at a time.
Prints how many milliseconds after its last message each chat is answered, and then, while more is written at once than they take,
how many answers leave and how many messages are taken in a minute.
"""

import json
import os
import random
import threading
import time

import redis

CHATS = int(os.environ["BASELINE_CHATS"])
SILENCE = 20
DEBOUNCED_AT_ONCE = 10
BURST = 120

store = redis.Redis(port=int(os.environ["BASELINE_REDIS_PORT"]))
answered = threading.Semaphore(0)
sent = []


def process():
    while True:
        for _ in range(10):
            item = store.lpop("queue:incoming")
            if item is None:
                break
            message = json.loads(item)
            key = f"{message['channel']}:{message['external_chat_id']}"
            store.rpush(f"queue:batch:{key}", item)
            store.set(f"last_seen:{key}", message["timestamp"])
            if store.set(f"lock:batch:{key}", "processing", nx=True, ex=300):
                store.rpush("queue:debounce:pending", json.dumps({"batch_key": key, "start_time": message["timestamp"]}))
        time.sleep(5)


def debounce():
    while True:
        for _ in range(min(DEBOUNCED_AT_ONCE, store.llen("queue:debounce:pending"))):
            item = store.lpop("queue:debounce:pending")
            if item is None:
                break
            key = json.loads(item)["batch_key"]
            if time.time() - float(store.get(f"last_seen:{key}")) < SILENCE:
                store.rpush("queue:debounce:pending", item)
                continue
            store.delete(f"queue:batch:{key}", f"lock:batch:{key}")
            channel, chat = key.split(":", 1)
            store.rpush("queue:outgoing", json.dumps({"channel": channel, "external_chat_id": chat, "message_text": "Yes"}))
        time.sleep(10)


def send():
    while True:
        item = store.lpop("queue:outgoing")
        if item is not None:
            answer = json.loads(item)
            last = float(store.get(f"last_seen:{answer['channel']}:{answer['external_chat_id']}"))
            now = time.time()
            sent.append((now, round((now - last) * 1000)))
            answered.release()
        time.sleep(3)


def write(chat):
    message = {"channel": "whatsapp", "external_chat_id": str(chat), "text": "Hello", "timestamp": time.time()}
    store.rpush("queue:incoming", json.dumps(message))


def answers():
    for _ in range(CHATS):
        answered.acquire()
    taken, sent[:CHATS] = sent[:CHATS], []
    return taken


for worker in (process, debounce, send):
    threading.Thread(target=worker, daemon=True).start()
for number in range(CHATS):
    time.sleep(random.uniform(0, 6))
    write(number)
late = [late for _, late in answers()]
began = time.time()
for number in range(BURST):
    # As many chats once more, and one that writes all the rest.
    write(CHATS + min(number, CHATS))
while store.llen("queue:incoming"):
    time.sleep(0.01)
messages = BURST * 60 / (time.time() - began)
times = [now for now, _ in answers()]
print(json.dumps({"late": late, "answers": round((CHATS - 1) * 60 / (times[-1] - times[0])), "messages": round(messages)}))
