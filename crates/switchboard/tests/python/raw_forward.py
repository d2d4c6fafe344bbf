"""A flow of Avito as it was before: takes what is forwarded as it came, and answers through the port of the old server.

raw_forward.py PORT OLD_PORT        listens on PORT until it is killed
"""

import json
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

PORT, OLD_PORT = sys.argv[1:]


def answer(value):
    order = {"chat_id": value["chat_id"], "text": "You wrote: " + value["content"]["text"]}
    request = urllib.request.Request(
        f"http://127.0.0.1:{OLD_PORT}/api/messages/send",
        data=json.dumps(order).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as response:
        assert json.load(response)["success"] is True


class Flow(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        # What is taken is answered at once, and worked on afterwards.
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        payload = body["payload"]
        value = payload["value"]
        # What the shop wrote itself.
        if payload["type"] == "message" and value["author_id"] != value["user_id"]:
            answer(value)


HTTPServer(("127.0.0.1", int(PORT)), Flow).serve_forever()
