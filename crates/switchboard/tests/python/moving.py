"""Sessions as their own programs have them, before they come in and after they left. Prints one JSON object.

make LIBRARY CONTROL NAME PATH              a session file of an account, with all that Telethon knows after reading its dialogs
string LIBRARY CONTROL NAME                 a session string of an account, as the library writes it
use LIBRARY PATH API_ID API_HASH CHAT TEXT  the library signs in with a file and writes into a chat whose access hash is in it
use string STRING API_ID API_HASH CHAT TEXT the same for Telethon and a string, which knows no chats
show PATH                                   what Kurigram reads in a file
lock PATH                                   holds a file as a program does that is writing to it, until the input ends
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
    """Kurigram's own storage, filled with what Telethon learned."""
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


def telethon_string(one):
    from telethon.crypto import AuthKey
    from telethon.sessions import StringSession

    session = StringSession()
    session.set_dc(one["dc_id"], one["host"], one["port"])
    session.auth_key = AuthKey(bytes.fromhex(one["auth_key"]))
    return session.save()


async def kurigram_string(one):
    from pyrogram.storage.sqlite_storage import SQLiteStorage

    storage = SQLiteStorage("memory", Path("."), in_memory=True)
    await storage.open()
    await storage.dc_id(one["dc_id"])
    await storage.api_id(one["api_id"])
    await storage.test_mode(False)
    await storage.auth_key(bytes.fromhex(one["auth_key"]))
    await storage.user_id(one["user_id"])
    await storage.is_bot(False)
    written = await storage.export_session_string()
    await storage.close()
    return written


async def string(library, control, name):
    one = account(control, name)
    written = telethon_string(one) if library == "telethon" else await kurigram_string(one)
    return {"string": written, "user_id": one["user_id"]}


async def use(library, session, api_id, api_hash, chat, text):
    if library == "kurigram":
        return await kurigram_use(session, api_id, api_hash, chat, text)
    if library == "string":
        from telethon.sessions import StringSession

        session = StringSession(session)
    telegram = client(session, api_id, api_hash)
    await telegram.connect()
    me = await telegram.get_me()
    if library == "string":
        await telegram.get_dialogs()
    sent = await telegram.send_message(await telegram.get_input_entity(int(chat)), text)
    await telegram.disconnect()
    return {"user_id": me.id, "message_id": sent.id}


async def kurigram_use(path, api_id, api_hash, chat, text):
    """Raw calls: what Kurigram does beside them is not what is tried."""
    from pyrogram import Client, raw

    path = Path(path)
    telegram = Client(path.stem, api_id=int(api_id), api_hash=api_hash, workdir=path.parent, no_updates=True)
    await telegram.connect()
    me = (await telegram.invoke(raw.functions.users.GetUsers(id=[raw.types.InputUserSelf()])))[0]
    peer = await telegram.resolve_peer(int(chat))
    written = raw.functions.messages.SendMessage(peer=peer, message=text, random_id=telegram.rnd_id())
    sent = await telegram.invoke(written)
    await telegram.disconnect()
    return {"user_id": me.id, "message_id": next(one.id for one in sent.updates if hasattr(one, "random_id"))}


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
    tasks = {"make": make, "string": string, "use": use, "show": show}
    print(json.dumps(asyncio.run(tasks[task](*arguments))))


main()
