"""The baseline of the benchmarks: a text-sending service as Flask and Telethon make it, with the legacy HTTP contract.

One Telethon client lives on an event loop in a thread of its own; Flask's threads hand it coroutines and wait.
Run under gunicorn with one worker (the session may be used by one process only):
    gunicorn --workers 1 --threads 32 baseline:application
"""

import asyncio
import html
import logging
import os
import threading

from flask import Flask, jsonify, request
from telethon import TelegramClient, errors, utils as telegram_ids
from telethon.crypto import AuthKey
from telethon.sessions import StringSession
from telethon.tl.types import InputPeerUser

CALLER_WAITS = 100
RECENT_MESSAGES = 50

logging.basicConfig(level=logging.WARNING)

application = Flask(__name__)
loop = asyncio.new_event_loop()
entities = {}
ready = threading.Event()


def session_from_environment():
    session = StringSession()
    session.set_dc(int(os.environ["BASELINE_DC_ID"]), os.environ["BASELINE_HOST"], int(os.environ["BASELINE_PORT"]))
    session.auth_key = AuthKey(bytes.fromhex(os.environ["BASELINE_AUTH_KEY"]))
    return session


async def load_dialogs():
    """Fills the cache of chats, so that an id can be sent to without a look-up."""
    async for dialog in client.iter_dialogs():
        entities[dialog.id] = dialog.input_entity
    return len(entities)


async def start():
    """Connects and fills the cache; until then `/health` says `not_ready`, and the log says why."""
    try:
        await client.connect()
        if not await client.is_user_authorized():
            raise PermissionError("the session is not signed in")
        await load_dialogs()
        ready.set()
    except Exception:
        logging.exception("cannot start")


async def resolve(chat):
    """A chat as Telethon addresses it, from a Bot-API style id, a name or a phone number."""
    text = str(chat).strip()
    key = int(text) if text.lstrip("-").isdigit() else text.removeprefix("@")
    if key not in entities:
        entities[key] = await client.get_input_entity(key)
    return entities[key]


async def find_client(entity, body):
    """The user to be mentioned: the one named by the caller, else the last person who wrote."""
    if body.get("client_id"):
        return await client.get_entity(int(body["client_id"]))
    if body.get("client_username"):
        return await client.get_entity(body["client_username"])
    if not body.get("tag_client"):
        return None
    excluded = {name.lstrip("@").lower() for name in body.get("exclude_usernames") or []}
    me = await client.get_me()
    async for message in client.iter_messages(entity, limit=RECENT_MESSAGES):
        sender = await message.get_sender()
        if sender is None or getattr(sender, "bot", False) or sender.id == me.id:
            continue
        if (getattr(sender, "username", None) or "").lower() not in excluded:
            return sender
    return None


def mention(text, person):
    name = html.escape(telegram_ids.get_display_name(person) or "client")
    link = f'<a href="tg://user?id={person.id}">{name}</a>'
    for placeholder in ("{{client}}", "{client}"):
        if placeholder in text:
            return text.replace(placeholder, link)
    return f"{link} {text}"


async def send(body):
    entity = await resolve(body["chat"])
    text = body.get("text") or ""
    parse_mode = "md" if str(body.get("parse_mode", "html")).lower() in ("markdown", "md") else "html"
    person = await find_client(entity, body) if body.get("tag_client") else None
    if person is not None:
        text, parse_mode = mention(text, person), "html"
    message = await client.send_message(
        entity,
        text,
        parse_mode=parse_mode,
        link_preview=not body.get("disable_preview", True),
        reply_to=body.get("reply_to"),
    )
    private = isinstance(entity, InputPeerUser)
    answer = {
        "status": "ok",
        "chat_id": telegram_ids.get_peer_id(entity),
        "message_id": message.id,
        "chat_type": "private" if private else "group",
    }
    if not private or person is not None:
        answer["client_tagged_id"] = person.id if person else None
        answer["client_tagged_name"] = telegram_ids.get_display_name(person) if person else None
    return answer


def wait_for(coroutine):
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(timeout=CALLER_WAITS)


@application.post("/send_text")
def send_text():
    body = request.get_json(force=True, silent=True) or {}
    if not body.get("chat"):
        return jsonify({"error": "chat is required"}), 400
    try:
        return jsonify(wait_for(send(body)))
    except errors.FloodWaitError as flood:
        return jsonify({"status": "error", "error": "FloodWait", "retry_after": flood.seconds}), 429
    except ValueError:
        return jsonify({"status": "error", "error": f"Cannot find chat {body['chat']}"}), 500
    except Exception as error:  # whatever it is, the caller gets the contract's shape
        return jsonify({"status": "error", "error": f"{type(error).__name__}: {error}"}), 500


@application.get("/health")
def health():
    return jsonify({"status": "ok" if ready.is_set() else "not_ready"})


@application.post("/reload_cache")
def reload_cache():
    return jsonify({"status": "ok", "cache_size": wait_for(load_dialogs())})


client = TelegramClient(
    session_from_environment(),
    int(os.environ["BASELINE_API_ID"]),
    os.environ["BASELINE_API_HASH"],
    loop=loop,
    flood_sleep_threshold=0,
)
threading.Thread(target=loop.run_forever, daemon=True).start()
asyncio.run_coroutine_threadsafe(start(), loop)
