"""Flows of the old channel servers as they were before: each writes, sends a picture, and reads its chats and what was said.

old_ports.py PICTURE FORM_PORT PLACES

PLACES is a list of [channel, port, chat, id of what its customer wrote]. Prints the chats of each channel and the texts of one, as JSON.
"""

import json
import sys
from urllib.parse import quote

import requests


class Port:
    def __init__(self, port):
        self.address = f"http://127.0.0.1:{port}"

    def call(self, method, path, body=None):
        answer = requests.request(method, self.address + path, json=body, timeout=120)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        reply = answer.json()
        assert reply.get("success") is True or reply.get("status") == "ok", reply
        return reply

    def read(self, path):
        return self.call("GET", path)

    def post(self, path, **body):
        return self.call("POST", path, body)


def avito(port, chat, _message_id, text, picture):
    port.post("/api/messages/send", chat_id=chat, text=text)
    port.post("/api/messages/send/image", chat_id=chat, image_url=picture)
    chats = [one["id"] for one in port.read("/api/chats")["chats"]]
    messages = port.read(f"/api/chats/{quote(chat, safe='')}/messages")["messages"]
    return chats, [one["content"].get("text") for one in messages]


def whatsapp(port, chat, _message_id, text, picture):
    number = chat.removesuffix("@c.us")
    port.post("/api/messages/send", to=number, text=text)
    port.post("/api/messages/send/image", to=number, image_url=picture, caption="A picture")
    chats = [one["id"] for one in port.read("/api/chats?limit=500")["chats"]]
    return chats, [one["body"] for one in port.read(f"/api/chats/{number}/messages")["messages"]]


def vk(port, chat, _message_id, text, picture):
    port.post("/api/messages/send", peer_id=int(chat), message=text)
    port.post("/api/messages/send", peer_id=int(chat), message="A picture", attachment=picture)
    chats = [str(one["conversation"]["peer"]["id"]) for one in port.read("/api/conversations")["items"]]
    return chats, [one["text"] for one in port.read(f"/api/conversations/{chat}/history")["items"]]


def max_messenger(port, chat, message_id, text, picture):
    port.post("/api/send", chat_id=int(chat), text=text)
    attached = {"type": "image", "payload": {"url": picture}}
    port.post("/api/send", chat_id=int(chat), text="A picture", attachments=[attached])
    chats = [str(one["chat_id"]) for one in port.read("/api/chats")["result"]["chats"]]
    return chats, [port.read(f"/api/message/{quote(message_id, safe='')}")["result"]["body"]["text"]]


def instagram(port, chat, _message_id, text, picture):
    port.post("/api/send", recipient_id=chat, text=text)
    port.post("/api/send", recipient_id=chat, image_url=picture)
    chats = [one["id"] for one in port.read("/api/conversations")["result"]["data"]]
    messages = port.read(f"/api/conversations/{quote(chat, safe='')}/messages")["result"]["data"]
    return chats, [one["message"] for one in messages]


FLOWS = {"avito": avito, "whatsapp": whatsapp, "vk": vk, "max": max_messenger, "instagram": instagram}


def main():
    picture, form_port, places = sys.argv[1:]
    results = {}
    for channel, port, chat, message_id in json.loads(places):
        chats, texts = FLOWS[channel](Port(port), chat, message_id, f"Yes, says {channel}", picture)
        results[channel] = {"chats": chats, "said": texts}
    form = Port(form_port).post("/api/submit", name="Anna", phone="8 000 000-00-01", message="Call me", form_id="order")
    assert form["submission_id"], form
    print(json.dumps(results))


main()
