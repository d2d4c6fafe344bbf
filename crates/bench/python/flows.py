"""The flows of the benchmarks as Telethon's events make them: one client an account, all on one event loop.

Reads the accounts from the file that is its first argument (one a line, JSON: name, dc_id, host, port, auth_key, api_id,
api_hash); the second is the bot's name, the third how many flows each account has. A new message of the bot is matched against
every flow; the three buttons are pressed as soon as each is seen. Says `ready` once all clients listen.
"""

import asyncio
import json
import logging
import re
import sys

from telethon import TelegramClient, errors, events
from telethon.crypto import AuthKey
from telethon.sessions import StringSession

logging.basicConfig(level=logging.WARNING)


def session_of(account):
    session = StringSession()
    session.set_dc(account["dc_id"], account["host"], account["port"])
    session.auth_key = AuthKey(bytes.fromhex(account["auth_key"]))
    return session


async def press(message, wanted):
    """Presses the first button whose label fits."""
    for row in await message.get_buttons() or []:
        for button in row:
            if wanted(button.text):
                try:
                    await button.click()
                except errors.RPCError:
                    logging.exception("a press is refused")
                return


async def watch(account, bot, flows):
    client = TelegramClient(session_of(account), account["api_id"], account["api_hash"], flood_sleep_threshold=0)
    await client.connect()
    if not await client.is_user_authorized():
        raise PermissionError(f"the session of {account['name']} is not signed in")
    await client.get_input_entity(bot)
    patterns = [re.compile(rf"New trip line-{number} .* (?P<from>\w+)") for number in range(flows)]
    runs = {}

    @client.on(events.NewMessage(chats=bot))
    async def offered(event):
        for pattern in patterns:
            found = pattern.search(event.raw_text)
            if found:
                runs[event.id] = (found["from"], 1)
                await press(event.message, lambda label: label == "Book")
                return

    @client.on(events.MessageEdited(chats=bot))
    async def edited(event):
        place, step = runs.get(event.id, (None, 0))
        if step == 1:
            runs[event.id] = (place, 2)
            await press(event.message, lambda label: place in label)
        elif step == 2:
            runs[event.id] = (place, 3)
            await press(event.message, lambda label: re.search("Confirm|Yes", label))
        elif step == 3 and "booked" in event.raw_text:
            del runs[event.id]

    return client


async def main():
    with open(sys.argv[1]) as file:
        accounts = [json.loads(line) for line in file]
    clients = [await watch(account, sys.argv[2], int(sys.argv[3])) for account in accounts]
    print("ready", flush=True)
    await asyncio.gather(*(client.run_until_disconnected() for client in clients))


asyncio.run(main())
