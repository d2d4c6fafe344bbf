"""Keeps what Schemathesis makes up on this machine: an address in a body leads to a closed port here and nowhere else.

Addresses beyond it are tried by the tests of files, against servers of their own. What it takes for wrong and is not, once
it is in an address, is left out.
"""

from urllib.parse import parse_qsl, urlsplit

import requests
import schemathesis

HERE = "127.0.0.1:9"


def kept_here(value):
    """The value with the host of every address in it replaced."""
    if isinstance(value, dict):
        return {key: kept_here(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [kept_here(inner) for inner in value]
    if isinstance(value, str) and "://" in value:
        scheme, _, rest = value.partition("://")
        try:
            path = urlsplit(value).path
        except ValueError:
            # Not an address for anybody.
            path = ""
        # Links to public posts are read and not fetched.
        return value if rest.startswith("t.me/") else f"{scheme}://{HERE}{path}"
    return value


def is_itself(name, value):
    """Whether an address tells the value from others: a list or map of one is that one there, of none it is not there."""
    if not isinstance(value, (list, dict)):
        return True
    address = requests.Request("GET", f"http://{HERE}/", params={name: value}).prepare().url
    return len(parse_qsl(urlsplit(address).query, keep_blank_values=True)) > 1


@schemathesis.hook
def filter_case(context, case):
    return all(is_itself(name, value) for name, value in (case.query or {}).items())


@schemathesis.hook
def before_call(context, case, **kwargs):
    case.body = kept_here(case.body)
    # A stream that goes on for as long as the server does is followed for a moment, whatever else is made up.
    if case.operation.path == "/v1/logs/tail":
        case.query = {**(case.query or {}), "for": "50ms"}
    if case.operation.path == "/v1/events":
        case.headers["Accept"] = "application/json, application/problem+json"
