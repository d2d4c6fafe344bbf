"""Calls the old ports as a Python script does, with `requests`, and checks the answers against a table of cases.

Run by the tests of the contract with a file of cases. Prints what does not fit, then `all fit` if all does.
The language of the shapes is described in `it/contract/shape.rs`, that of the cases in `it/contract/cases.rs`.
"""

import json
import sys

import requests

KINDS = {
    "any": lambda value: True,
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "text": lambda value: isinstance(value, str) and value != "",
    "list": lambda value: isinstance(value, list),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "positive": lambda value: isinstance(value, int) and not isinstance(value, bool) and value > 0,
    "chat id": lambda value: isinstance(value, str) and value.startswith("-100") and value[4:].isdigit(),
    "invite link": lambda value: isinstance(value, str) and value.startswith("https://t.me/+") and len(value) > 14,
}


def is_kind(kind, value):
    if kind.startswith("contains "):
        parts = kind.removeprefix("contains ").split(" & ")
        return isinstance(value, str) and all(part in value for part in parts)
    if kind.startswith("starts "):
        return isinstance(value, str) and value.startswith(kind.removeprefix("starts "))
    if kind.startswith("not "):
        return isinstance(value, str) and value not in ("", kind.removeprefix("not "))
    return any(KINDS[one](value) for one in kind.split("|"))


def misfit(shape, value, place="the answer"):
    """What does not fit, or None."""
    if isinstance(shape, dict) and isinstance(value, dict):
        for key in value:
            if key not in shape and key + "?" not in shape:
                return f"{place} has a key `{key}` too many"
        for key, inner in shape.items():
            name = key.rstrip("?")
            if name in value:
                found = misfit(inner, value[name], f"{place}.{name}")
                if found:
                    return found
            elif not key.endswith("?"):
                return f"{place} lacks `{name}`"
        return None
    if isinstance(shape, list) and isinstance(value, list):
        if len(shape) == 2 and shape[0] == "<each>":
            shapes = [shape[1]] * len(value)
        elif len(shape) != len(value):
            return f"{place} has {len(value)} items and not {len(shape)}"
        else:
            shapes = shape
        found = (misfit(inner, item, f"{place}[{at}]") for at, (inner, item) in enumerate(zip(shapes, value)))
        return next((one for one in found if one), None)
    if isinstance(shape, str) and shape.startswith("<") and shape.endswith(">"):
        return None if is_kind(shape[1:-1], value) else f"{place} is {value!r} and not {shape[1:-1]}"
    same = type(shape) is type(value) and shape == value
    return None if same else f"{place} is {value!r} and not {shape!r}"


def call(address, case):
    """One call, on a connection of its own, with the headers that `requests` sends by itself."""
    headers = dict(case.get("headers", {}))
    if case.get("content_type"):
        headers["Content-Type"] = case["content_type"]
    body = {}
    if "raw" in case:
        body["data"] = case["raw"].encode()
    elif "json" in case:
        body["json"] = case["json"]
    return requests.request(case.get("method", "POST"), address + case["path"], headers=headers, timeout=120, **body)


def effects(control):
    return requests.get(f"{control}/ledger", timeout=30).json()["items"]


def tried(control, ports, case):
    """Makes a call; what does not fit, or None."""
    before = max((row["seq"] for row in effects(control)), default=0)
    answer = call(f"http://127.0.0.1:{ports[str(case['port'])]}", case)
    if answer.status_code != case["status"]:
        return f"status {answer.status_code} and not {case['status']}: {answer.text}"
    found = misfit(case["body"], answer.json())
    if found:
        return f"{found}: {answer.text}"
    if answer.status_code == 200 and "effects" not in case:
        return None
    expected = case.get("effects", [])
    rows = [row for row in effects(control) if row["seq"] > before]
    fits = len(rows) == len(expected) and all(
        misfit(shape, row[key]) is None for wanted, row in zip(expected, rows) for key, shape in wanted.items()
    )
    return None if fits else f"its effects are {rows} and not {expected}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        table = json.load(file)
    fit = True
    for case in table["cases"]:
        found = tried(table["control"], table["ports"], case)
        if found:
            fit = False
            print(f"{case['port']} {case['name']}: {found}")
    print("all fit" if fit else "some do not fit")


main()
