"""Sessions as their own programs have them, before they come in and after they left. Prints one JSON object.

make LIBRARY CONTROL NAME PATH      a session file of an account, with all that Telethon knows after reading its dialogs
use PATH API_ID API_HASH CHAT TEXT  Telethon signs in with a file and writes into a chat whose access hash is in it
show PATH                           what Kurigram reads in a file
lock PATH                           holds a file as a program does that is writing to it, until the input ends
"""

import asyncio
import json
import os
import sqlite3
import sys
import urllib.request
from pathlib import Path


def account(control, name):
    with urllib.request.urlopen(f"{control}/telegram/accounts", timeout=20) as answer:
        return next(one for one in json.load(answer)["items"] if one["name"] == name)


def client(path, api_id, api_hash):
    from telethon import TelegramClient

    return TelegramClient(path, int(api_id), api_hash, request_retries=1, connection_retries=1, receive_updates=False)


async def telethon_make(one, path):
    from telethon.crypto import AuthKey
    from telethon.sessions import SQLiteSession

    session = SQLiteSession(path)
    session.set_dc(one["dc_id"], one["host"], one["port"])
    session.auth_key = AuthKey(bytes.fromhex(one["auth_key"]))
    session.save()
    session.close()
    telegram = client(path, one["api_id"], one["api_hash"])
    await telegram.connect()
    await telegram.get_dialogs()
    me = await telegram.get_me()
    await telegram.disconnect()
    return me.id


async def kurigram_make(one, path):
    """Kurigram's own storage, filled with what Telethon learned: the pretend Telegram does not speak its layer."""
    from pyrogram.storage.sqlite_storage import SQLiteStorage

    learned = path + ".telethon.session"
    user_id = await telethon_make(one, learned)
    rows = sqlite3.connect(learned).execute("select id, hash from entities where id <> 0").fetchall()
    os.remove(learned)
    kind = lambda marked: "user" if marked > 0 else "supergroup" if marked < -1000000000000 else "group"
    path = Path(path)
    storage = SQLiteStorage(path.stem, path.parent)
    await storage.open()
    await storage.dc_id(one["dc_id"])
    await storage.server_address(one["host"])
    await storage.port(one["port"])
    await storage.api_id(one["api_id"])
    await storage.test_mode(False)
    await storage.auth_key(bytes.fromhex(one["auth_key"]))
    await storage.user_id(user_id)
    await storage.is_bot(False)
    await storage.update_peers([(marked, access_hash, kind(marked), None) for marked, access_hash in rows])
    await storage.save()
    await storage.close()
    return user_id


async def make(library, control, name, path):
    one = account(control, name)
    makers = {"telethon": telethon_make, "kurigram": kurigram_make}
    return {"user_id": await makers[library](one, path)}


async def use(path, api_id, api_hash, chat, text):
    telegram = client(path, api_id, api_hash)
    await telegram.connect()
    me = await telegram.get_me()
    sent = await telegram.send_message(await telegram.get_input_entity(int(chat)), text)
    await telegram.disconnect()
    return {"user_id": me.id, "message_id": sent.id}


async def show(path):
    from pyrogram.storage.sqlite_storage import SQLiteStorage

    path = Path(path)
    storage = SQLiteStorage(path.stem, path.parent)
    await storage.open()
    peers = [row[0] for row in storage.conn.execute("SELECT id FROM peers").fetchall()]
    for peer in peers:
        await storage.get_peer_by_id(peer)
    shown = {"key": (await storage.auth_key()).hex(), "user_id": await storage.user_id(), "peers": len(peers)}
    await storage.close()
    return shown


def lock(path):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    print("locked", flush=True)
    sys.stdin.read()


def main():
    task, *arguments = sys.argv[1:]
    if task == "lock":
        return lock(*arguments)
    tasks = {"make": make, "use": use, "show": show}
    print(json.dumps(asyncio.run(tasks[task](*arguments))))


main()
