"""The sandbox, as the scripts beside this file find it: each is called with its control port and its file of settings."""

import json
import sys
import tomllib
import urllib.request

CONTROL, SETTINGS = sys.argv[1:3]


def account(name):
    """What the settings say of an account of a channel."""
    with open(SETTINGS, "rb") as file:
        return next(found for found in tomllib.load(file)["channels"] if found["name"] == name)


def control(method, path, body=None):
    """A call of the control port."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{CONTROL}{path}", data, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def customer(channel, account, sender, /, **deed):
    """A customer does something; what came of it."""
    return control("POST", "/customers/messages", {"channel": channel, "account": account, "from": sender, **deed})


def last(channel):
    """The last effect in the ledger at a provider."""
    return [row for row in control("GET", "/ledger")["items"] if row["provider"] == channel][-1]
