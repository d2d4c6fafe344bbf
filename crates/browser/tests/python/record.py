"""Records what the page object reads of the pretend Web K in each of its states: PROGRAM FILE.

PROGRAM is a built `switchboard`; `chromedriver` and `chromium` are found by the system.
"""

import itertools
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
SELECTORS = {
    name: json.loads(f'"{css}"')
    for name, css in re.findall(r'^ {8}(\w+) "(.*)";$', (SOURCE / "selectors.rs").read_text(), re.M)
}
SCRIPTS = {name: (SOURCE / f"script/{name}.js").read_text() for name in ("facts", "write", "attach")}


def ask(address, body=None, method=None):
    """Asks for JSON."""
    given = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, given, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


class Stage:
    """A sandbox, and its page in a browser."""

    def __init__(self, control, driver):
        self.control = control
        self.address = ask(f"{control}/web-k")["url"]
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1400,900"]}
        order = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        self.session = f"{driver}/session/" + ask(f"{driver}/session", order)["value"]["sessionId"]
        self.recorded = {}

    def drive(self, command, body):
        return ask(f"{self.session}/{command}", body)["value"]

    def run(self, name, *given):
        return self.drive("execute/sync", {"script": SCRIPTS[name], "args": list(given)})

    def facts(self):
        return self.run("facts", SELECTORS)

    def go(self, fragment=""):
        self.drive("url", {"url": "about:blank"})
        self.drive("url", {"url": self.address + fragment})

    def write(self, text, place=("chat", "chat_field")):
        self.run("write", *(place[0] and SELECTORS[place[0]], SELECTORS[place[1]], text))

    def press(self, *names):
        css = " ".join(SELECTORS[name] for name in names)
        found = self.drive("element", {"using": "css selector", "value": css})
        self.drive(f"element/{next(iter(found.values()))}/click", {})

    def until(self, there):
        """The facts, once they are as they are waited for."""
        for _ in range(100):
            facts = self.facts()
            if there(facts):
                return facts
            time.sleep(0.1)
        raise TimeoutError(json.dumps(facts))

    def record(self, name, there):
        facts = self.until(there)
        facts["address"] = facts["address"].replace(self.address, "https://web.telegram.org/k/")
        self.recorded[name] = {key: facts[key] for key in sorted(facts)}

    def tell(self, path, body):
        ask(self.control + path, body)

    def fault(self, name, provider="web_k", **more):
        self.tell("/faults", {"fault": name, "provider": provider, "times": 1} | more)

    def log_in(self, account):
        self.until(lambda facts: facts["card"] == "code")
        self.tell("/web-k/log-ins", {"account": account})
        self.until(lambda facts: facts["chats_shown"] and facts["columns_opaque"] and not facts["card"])


def own(facts):
    return facts["chat"] and facts["chat"]["own"] and facts["chat"]["own"][-1]


def opened(facts):
    return facts["columns_opaque"] and facts["chat"] and facts["chat"]["title_peer"]


def play(stage):
    """Goes through the states."""
    stage.go()
    stage.record("logged out", lambda facts: facts["card"] == "code")
    stage.log_in("backup_1")
    stage.record("list", lambda facts: facts["list"])
    stage.fault("blank")
    stage.go()
    stage.record("white", lambda facts: not facts["chats_shown"])
    for fault in ("locked", "deactivated"):
        stage.fault(fault)
        stage.go()
        stage.record(fault, lambda facts, fault=fault: facts[fault])
    stage.go()
    stage.until(lambda facts: facts["list"] and facts["columns_opaque"])
    stage.write("@guest_12", (None, "search_input"))
    stage.record("search", lambda facts: len(facts["rows"]) > 1)
    stage.go("#@no_such_name")
    stage.record("unknown name", lambda facts: facts["toast"])

    for fault, name in itertools.product(("frozen", "premium", "paid", "forbidden"), ("guest_3", "client_9")):
        stage.fault(fault)
        stage.go(f"#@{name}")
        stage.record(f"{fault}, {name}", opened)
    for name, who in (("read only", "demo_channel"), ("must start", "demo_trips_bot")):
        stage.go(f"#@{who}")
        stage.record(name, opened)
    stage.tell("/telegram/blocks", {"from": "backup_1", "account": "@client_11"})
    stage.go("#@client_11")
    stage.record("blocked by us", opened)
    stage.tell("/telegram/chats/@demo_channel/members", {"account": "backup_1", "remove": True})
    stage.go("#@demo_channel")
    stage.record("must join", opened)

    stage.go("#@client_7")
    stage.record("writable", opened)
    for fault, name, there in (
        ("popup", "asked", lambda facts: facts["popup"]),
        ("slow_mode", "slow mode", lambda facts: facts["chat"]["sends"]),
    ):
        stage.go("#@client_7")
        stage.until(opened)
        stage.fault(fault)
        stage.write("Hello")
        stage.press("chat", "chat_send")
        stage.record(name, there)
    for fault, name, there in (
        ("silent_wait", "sending", lambda facts: "." in own(facts)["mid"]),
        ("error", "refused", lambda facts: own(facts)["error"]),
        ("notice", "sent, then a notice", lambda facts: facts["popup"]),
    ):
        stage.go("#@guest_5")
        stage.until(opened)
        stage.write("Hello")
        stage.until(lambda facts: facts["chat"]["sends"])
        stage.fault(fault)
        stage.press("chat", "chat_send")
        stage.record(name, lambda facts, there=there: own(facts) and there(facts))
    stage.go("#@client_7")
    stage.until(opened)
    stage.write("")
    stage.run("attach", SELECTORS["chat"], SELECTORS["chat_field"], "aGVsbG8=", "list.txt", "text/plain")
    stage.until(lambda facts: facts["preview"])
    stage.write("Hello", ("popup_media", "media_caption"))
    stage.record("file", lambda facts: facts["preview"]["typed"] and facts["preview"]["sends"])
    stage.press("popup_media", "media_send")
    stage.record("file sent", lambda facts: own(facts) and own(facts)["media"] and "." not in own(facts)["mid"])
    stage.tell("/telegram/messages", {"from": "@client_7", "chat": "backup_1", "text": "stop"})
    stage.record("answered", lambda facts: any(one["text"] == "stop" for one in facts["chat"]["incoming"]))
    stage.fault("logged_out")
    stage.record("logged out later", lambda facts: facts["card"] == "code")


def main(program, file):
    with tempfile.TemporaryDirectory() as folder:
        ports = ("--telegram", "127.0.0.1:0", "--control", "127.0.0.1:0")
        sandbox = subprocess.Popen([program, "sandbox", "--data-dir", folder, *ports], stdout=subprocess.PIPE, text=True)
        driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        try:
            control = next(line for line in sandbox.stdout if line.startswith("Control")).split()[1]
            port = next(line for line in driver.stdout if "successfully on port" in line).split()[-1].rstrip(".")
            stage = Stage(control, f"http://127.0.0.1:{port}")
            try:
                play(stage)
            finally:
                ask(stage.session, method="DELETE")
        finally:
            driver.terminate()
            sandbox.terminate()
    lines = [f"  {json.dumps(name)}: {json.dumps(facts, ensure_ascii=False)}" for name, facts in stage.recorded.items()]
    Path(file).write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
