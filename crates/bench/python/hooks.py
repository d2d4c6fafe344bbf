"""A webhook server as the old channels had it: FastAPI takes the post and pushes it to a list of Redis."""

import json
import os

import redis.asyncio as redis
from fastapi import FastAPI, Request

queue = redis.Redis(port=int(os.environ["BASELINE_REDIS_PORT"]))
application = FastAPI()


@application.get("/health")
async def health():
    await queue.ping()
    return {"status": "ok"}


@application.post("/webhook")
async def webhook(request: Request):
    body = await request.json()
    for message in body["messages"]:
        if message["wh_type"] != "incoming_message":
            continue
        item = {"channel": "whatsapp", "chat_id": message["chatId"], "text": message["body"], "message_id": message["id"]}
        await queue.rpush("queue:incoming", json.dumps(item))
    return {"status": "ok"}
