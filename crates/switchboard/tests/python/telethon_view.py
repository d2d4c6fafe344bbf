"""Looks at a chat through Telethon, signed in as an account with a key of its own, and prints it as JSON.

Run by the tests of the contract with the control port's URL, the account's name, and a chat (`@name` or an id).
"""

import asyncio
import json
import sys
import urllib.request

from telethon import TelegramClient, functions, types
from telethon.crypto import AuthKey
from telethon.sessions import StringSession

CONTROL, NAME, CHAT = sys.argv[1:4]
RIGHTS = ["change_info", "delete_messages", "ban_users", "invite_users", "pin_messages", "add_admins", "manage_call"]


def account():
    with urllib.request.urlopen(f"{CONTROL}/telegram/accounts", timeout=20) as answer:
        return next(one for one in json.load(answer)["items"] if one["name"] == NAME)


def entity(one):
    shown = {"kind": type(one).__name__.removeprefix("MessageEntity"), "offset": one.offset, "length": one.length}
    if isinstance(one, types.MessageEntityMentionName):
        shown["user_id"] = one.user_id
    return shown


def file(one):
    if not one.media or not one.file:
        return None
    shown = {"kind": "photo" if one.photo else "document", "name": one.file.name, "type": one.file.mime_type, "size": one.file.size}
    if one.video:
        film = next(a for a in one.video.attributes if isinstance(a, types.DocumentAttributeVideo))
        shown.update(kind="video", streams=film.supports_streaming, width=film.w, height=film.h, seconds=film.duration)
    return shown


def message(one):
    return {
        "id": one.id,
        "text": one.message,
        "reply_to": one.reply_to.reply_to_msg_id if one.reply_to else None,
        "entities": [entity(inner) for inner in one.entities or []],
        "album": one.grouped_id,
        "file": file(one),
    }


async def chat(telegram, peer):
    full = (await telegram(functions.channels.GetFullChannelRequest(peer))).full_chat
    listed = await telegram(
        functions.channels.GetParticipantsRequest(peer, types.ChannelParticipantsAdmins(), 0, 100, 0)
    )
    admins = [one for one in listed.participants if isinstance(one, types.ChannelParticipantAdmin)]
    return {
        "hidden_prehistory": bool(full.hidden_prehistory),
        "admins": {
            str(one.user_id): {
                "rank": one.rank,
                "lacks": [right for right in RIGHTS if not getattr(one.admin_rights, right)],
            }
            for one in admins
        },
    }


async def main():
    one = account()
    session = StringSession()
    session.set_dc(one["dc_id"], one["host"], one["port"])
    session.auth_key = AuthKey(bytes.fromhex(one["auth_key"]))
    telegram = TelegramClient(session, one["api_id"], one["api_hash"], request_retries=1, connection_retries=1)
    await telegram.connect()
    await telegram.get_dialogs()
    peer = await telegram.get_input_entity(int(CHAT) if CHAT.lstrip("-").isdigit() else CHAT)
    view = {"messages": [message(one) async for one in telegram.iter_messages(peer, limit=10) if one.message or one.media]}
    if isinstance(peer, types.InputPeerChannel):
        view.update(await chat(telegram, peer))
    print(json.dumps(view))
    await telegram.disconnect()


asyncio.run(main())
