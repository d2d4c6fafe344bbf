"""Twilio's own library: its client sends and is refused, its validator takes what is posted to us."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl

from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from world import account, control, customer, last

FIELDS = account("texts_twilio")
POSTS = []
POSTED = threading.Event()


class Elsewhere(TwilioHttpClient):
    """The library takes no other address."""

    def request(self, method, url, *args, **kwargs):
        return super().request(method, url.replace("https://api.twilio.com", FIELDS["api"]), *args, **kwargs)


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        POSTS.append((self.path, dict(parse_qsl(body, keep_blank_values=True)), self.headers["x-twilio-signature"]))
        self.send_response(204)
        self.end_headers()
        POSTED.set()

    def log_message(self, *_):
        pass


def posted():
    assert POSTED.wait(20), "nothing was posted"
    POSTED.clear()
    return POSTS.pop()


server = HTTPServer(("127.0.0.1", 0), Hook)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
validator = RequestValidator(FIELDS["token"])
client = Client(FIELDS["login"], FIELDS["token"], http_client=Elsewhere())

message = client.messages.create(
    to="+70000000001", from_=FIELDS["sender"], body="Привет", status_callback=f"{address}/status?a=1"
)
assert message.sid.startswith("SM") and last("sms")["text"] == "Привет"
customer("sms", "texts_twilio", "+70000000001", action="deliver")
path, form, signature = posted()
assert (form["MessageSid"], form["MessageStatus"]) == (message.sid, "delivered")
assert validator.validate(address + path, form, signature)

control("PUT", "/channels/hooks", {"channel": "sms", "account": "texts_twilio", "url": f"{address}/in"})
customer("sms", "texts_twilio", "+70000000001", text="Да & нет")
path, form, signature = posted()
assert form["Body"] == "Да & нет" and validator.validate(address + path, form, signature)
customer("sms", "texts_twilio", "+70000000001", text="forged", forged=True)
path, form, signature = posted()
assert not validator.validate(address + path, form, signature)

for call, code in [
    (lambda: client.messages.create(to="+7", from_=FIELDS["sender"], body="x"), 21211),
    (lambda: Client(FIELDS["login"], "wrong", http_client=Elsewhere()).messages.create(to="+70000000001", body="x"), 20003),
]:
    try:
        call()
        raise AssertionError(f"{code} did not come")
    except TwilioRestException as error:
        assert error.code == code, error
print("fine")
