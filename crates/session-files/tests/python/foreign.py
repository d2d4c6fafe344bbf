"""Session files and strings as their own programs make and read them. Prints one JSON object.

make LIBRARY FOLDER KEY    a session with peers and update state, as a file and as a string
show LIBRARY PATH|STRING   what the library reads in a session
"""

import asyncio
import datetime
import json
import os
import sqlite3
import sys
from pathlib import Path

USER = 7000000001
PEERS = [
    # marked id, access hash, kind, username, name
    (USER, 1111, "user", "demo_main", "Demo Main"),
    (42, -2222, "bot", "demo_bot", "Demo Bot"),
    (-77, 0, "group", None, "Basic"),
    (-1001234567890, 3333, "supergroup", "demo_chat", "Chat"),
    (-1002000000000, 4444, "channel", None, "News"),
]
STATE = (10, 20, 1700000000, 30)
CHANNEL_PTS = 55


def telethon_entities():
    from telethon.tl import types

    photo = types.ChatPhotoEmpty()
    now = datetime.datetime.now(datetime.timezone.utc)
    users, chats = [], []
    for marked, access_hash, kind, username, name in PEERS:
        if kind in ("user", "bot"):
            users.append(
                types.User(id=marked, access_hash=access_hash, username=username, first_name=name, bot=kind == "bot")
            )
        elif kind == "group":
            chats.append(
                types.Chat(id=-marked, title=name, photo=photo, participants_count=2, date=now, version=1)
            )
        else:
            chats.append(
                types.Channel(
                    id=-marked - 1000000000000, access_hash=access_hash, username=username, title=name,
                    photo=photo, date=now, megagroup=kind == "supergroup", broadcast=kind == "channel",
                )
            )
    return types.contacts.ResolvedPeer(types.PeerUser(USER), chats, users)


def telethon_make(folder, key):
    from telethon.crypto import AuthKey
    from telethon.sessions import SQLiteSession, StringSession
    from telethon.tl import types

    path = os.path.join(folder, "telethon.session")
    session = SQLiteSession(path)
    session.set_dc(4, "149.154.167.91", 443)
    session.auth_key = AuthKey(key)
    session.process_entities(telethon_entities())
    # What the client does when it disconnects.
    session.process_entities(types.contacts.ResolvedPeer(None, [types.InputPeerUser(0, USER)], []))
    pts, qts, date, seq = STATE
    when = datetime.datetime.fromtimestamp(date + 0.5, datetime.timezone.utc)
    session.set_update_state(0, types.updates.State(pts, qts, when, seq, 0))
    session.set_update_state(1234567890, types.updates.State(CHANNEL_PTS, 0, when, 0, 0))
    session.save()
    string = StringSession.save(session)
    session.close()
    return {"path": path, "string": string}


def telethon_show(what):
    from telethon.sessions import SQLiteSession, StringSession

    if not os.path.exists(what):
        session = StringSession(what)
        return {"dc_id": session.dc_id, "key": session.auth_key.key.hex(), "address": session.server_address}
    session = SQLiteSession(what)
    rows = session._cursor().execute("select id, hash, username, name from entities where id <> 0 order by id")
    entities = rows.fetchall()
    for marked, _, username, _ in entities:
        # By its own ways as well, not just by its table.
        found = session.get_input_entity(marked)
        if username:
            assert session.get_input_entity(username) == found
    state = session.get_update_state(0)
    return {
        "dc_id": session.dc_id,
        "address": session.server_address,
        "port": session.port,
        "key": session.auth_key.key.hex(),
        "own": session.get_input_entity(0).access_hash,
        "entities": entities,
        "state": state and [state.pts, state.qts, int(state.date.timestamp()), state.seq],
        "channels": [[i, s.pts] for i, s in session.get_update_states() if i != 0],
    }


async def kurigram_open(path):
    from pyrogram.storage.sqlite_storage import SQLiteStorage

    path = Path(path)
    storage = SQLiteStorage(path.stem, path.parent)
    await storage.open()
    return storage


async def kurigram_make(folder, key):
    from pyrogram.storage.storage import UpdateState

    path = os.path.join(folder, "kurigram.session")
    storage = await kurigram_open(path)
    await storage.dc_id(4)
    await storage.server_address("149.154.167.91")
    await storage.api_id(12345)
    await storage.test_mode(False)
    await storage.auth_key(key)
    await storage.user_id(USER)
    await storage.is_bot(False)
    await storage.update_peers([(i, h, kind, None) for i, h, kind, _, _ in PEERS])
    await storage.update_usernames([(i, [name]) for i, _, _, name, _ in PEERS if name])
    await storage.set_update_state(UpdateState(0, *STATE))
    await storage.set_update_state(UpdateState(-1001234567890, CHANNEL_PTS, None, None, None))
    await storage.save()
    string = await storage.export_session_string()
    await storage.close()
    return {"path": path, "string": string}


async def kurigram_show(what):
    from pyrogram.storage.sqlite_storage import SQLiteStorage

    if os.path.exists(what):
        storage = await kurigram_open(what)
    else:
        storage = SQLiteStorage("memory", Path("."), session_string=what, in_memory=True)
        await storage.open()
    peers = storage.conn.execute(
        "SELECT p.id, p.access_hash, p.type, u.username FROM peers p LEFT JOIN usernames u ON p.id = u.id ORDER BY p.id"
    ).fetchall()
    for marked, *_ in peers:
        await storage.get_peer_by_id(marked)
    states = await storage.get_update_states()
    answer = {
        "dc_id": await storage.dc_id(),
        "key": (await storage.auth_key()).hex(),
        "api_id": await storage.api_id(),
        "test_mode": bool(await storage.test_mode()),
        "user_id": await storage.user_id(),
        "is_bot": bool(await storage.is_bot()),
        "version": await storage.version(),
        "peers": peers,
        "states": sorted([s.id, s.pts] for s in states),
    }
    await storage.close()
    return answer


def lock(path):
    """Holds the file as a program does that is writing to it, until its input ends."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    print("locked", flush=True)
    sys.stdin.read()


def main():
    task, *arguments = sys.argv[1:]
    if task == "lock":
        return lock(*arguments)
    library, *arguments = arguments
    if task == "make":
        arguments[1] = bytes.fromhex(arguments[1])
    answer = globals()[f"{library}_{task}"](*arguments)
    if asyncio.iscoroutine(answer):
        answer = asyncio.run(answer)
    print(json.dumps(answer))


main()
