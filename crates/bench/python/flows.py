"""The flows of the benchmarks as Telethon's events make them: one client an account, all on one event loop.

Reads the accounts from the file that is its first argument (one a line, JSON: name, dc_id, host, port, auth_key, api_id,
api_hash); the second is the bot's name, the third how many flows each account has. A new message of the bot is matched against
every flow; the three buttons are pressed as soon as each is seen, and again with the next edit where one was gone. Says `ready` once all clients listen.
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


async def button_of(message, wanted):
    """The first button whose label fits."""
    for row in await message.get_buttons() or []:
        for button in row:
            if wanted(button.text):
                return button
    return None


async def watch(account, bot, flows):
    client = TelegramClient(session_of(account), account["api_id"], account["api_hash"], flood_sleep_threshold=0)
    await client.connect()
    if not await client.is_user_authorized():
        raise PermissionError(f"the session of {account['name']} is not signed in")
    await client.get_input_entity(bot)
    patterns = [re.compile(rf"New trip line-{number} .* (?P<from>\w+)") for number in range(flows)]
    runs = {}

    async def step(message):
        """Presses the button of the step that a run is at, if it is there."""
        place, at = runs[message.id]
        wanted = ["Book", re.escape(place), "Confirm|Yes"]
        if at == len(wanted):
            return
        button = await button_of(message, re.compile(wanted[at]).search)
        if button is None:
            return
        runs[message.id] = (place, at + 1)
        try:
            await button.click()
        except errors.RPCError:
            # The button was gone: the next edit has another.
            logging.exception("a press is refused")
            if runs.get(message.id) == (place, at + 1):
                runs[message.id] = (place, at)

    @client.on(events.NewMessage(chats=bot))
    async def offered(event):
        for pattern in patterns:
            found = pattern.search(event.raw_text)
            if found:
                runs[event.id] = (found["from"], 0)
                await step(event.message)
                return

    @client.on(events.MessageEdited(chats=bot))
    async def edited(event):
        if event.id not in runs:
            return
        if "booked" in event.raw_text:
            del runs[event.id]
        else:
            await step(event.message)

    return client


async def main():
    with open(sys.argv[1]) as file:
        accounts = [json.loads(line) for line in file]
    clients = [await watch(account, sys.argv[2], int(sys.argv[3])) for account in accounts]
    print("ready", flush=True)
    await asyncio.gather(*(client.run_until_disconnected() for client in clients))


asyncio.run(main())
