"""A campaign as a Playwright script: one Chromium, one profile, Telegram Web K; a text for each chat, until the server has it."""

import json
import os
import re
import time

from playwright.sync_api import sync_playwright

TEXT = "Good day from the script"
SENT = """text => [...document.querySelectorAll('.chat.active .bubble.is-out')].some(bubble =>
    bubble.querySelector('.translatable-message')?.textContent === text && /^[0-9]+$/.test(bubble.dataset.mid))"""


def send(page, name):
    search = page.locator("#column-left .input-search-input")
    search.fill(f"@{name}")
    rows = page.locator("#search-container a.chatlist-chat:not([data-sponsored])")
    named = page.locator(".row-subtitle", has_text=re.compile(rf"^@{name}$"))
    rows.filter(has=named).first.click()
    page.wait_for_function("name => location.hash === `#@${name}`", arg=name)
    page.locator(".chat.active .input-message-input:not(.input-field-input-fake)").fill(TEXT)
    page.locator(".chat.active .btn-send.send").click()
    page.wait_for_function(SENT, arg=TEXT)


with sync_playwright() as playwright:
    context = playwright.chromium.launch_persistent_context(
        os.environ["BASELINE_PROFILE"],
        executable_path=os.environ["BASELINE_CHROMIUM"],
        args=["--no-sandbox", "--disable-gpu"],
        viewport={"width": 1440, "height": 900},
    )
    page = context.pages[0]
    page.goto(os.environ["BASELINE_WEB_K"])
    page.wait_for_selector("#auth-pages canvas")
    print("code", flush=True)
    page.wait_for_selector("#folders-container .chatlist-chat", timeout=120_000)
    page.wait_for_selector("#auth-pages", state="detached")
    names = os.environ["BASELINE_CHATS"].split()
    begun = time.monotonic()
    for name in names:
        send(page, name)
    print(json.dumps({"sent": len(names), "seconds": time.monotonic() - begun}), flush=True)
    # Looked at until it is ended.
    while True:
        time.sleep(1)
