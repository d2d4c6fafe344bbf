"""Signs in with a key of its own and prints the session; or, given a session, prints whose it is."""

import asyncio
import json
import sys
import urllib.request

from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import StringSession


def get(path):
    with urllib.request.urlopen(f"http://{sys.argv[1]}{path}", timeout=20) as answer:
        return answer.read().decode()


async def main():
    accounts = json.loads(get("/telegram/accounts"))["items"]
    one = next(account for account in accounts if account["name"] == "backup_1")
    rsa.add_key(get("/telegram/rsa-public-key"), old=False)
    known = sys.argv[2] if len(sys.argv) > 2 else ""
    session = StringSession(known)
    key = session.auth_key
    session.set_dc(one["dc_id"], one["host"], one["port"])
    session.auth_key = key
    telegram = TelegramClient(session, one["api_id"], one["api_hash"], request_retries=1, connection_retries=1)
    await telegram.connect()
    if known:
        print((await telegram.get_me()).username)
    else:
        await telegram.send_code_request(one["phone"])
        await telegram.sign_in(one["phone"], one["login_code"])
        print(session.save())
    await telegram.disconnect()


asyncio.run(main())
