"""An outsider: Telethon, unmodified but for the address and the keys, uses the sandbox as it would use Telegram.

Run by the test `telethon` with the address of the control port. Prints `fine` at the end; anything else is a failure.
"""

import asyncio
import json
import struct
import sys
import time
import urllib.error
import urllib.request

from telethon import TelegramClient, errors, events, functions, types
from telethon.crypto import AuthKey, rsa
from telethon.network import ConnectionTcpAbridged, ConnectionTcpFull, ConnectionTcpIntermediate
from telethon.sessions import StringSession

CONTROL = sys.argv[1]
TIMEOUT = 20


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{CONTROL}{path}", data=data, method=method)
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        content = answer.read()
        if not content:
            return None
        is_json = answer.headers["content-type"].startswith("application/json")
        return json.loads(content) if is_json else content.decode()


def account(name):
    found = [one for one in call("GET", "/telegram/accounts")["items"] if one["name"] == name]
    assert len(found) == 1, name
    return found[0]


def shared(one):
    """A session with the account's shared key."""
    session = StringSession()
    session.set_dc(one["dc_id"], one["host"], one["port"])
    session.auth_key = AuthKey(bytes.fromhex(one["auth_key"]))
    # Through its text, as people carry it about.
    return StringSession(session.save())


def client(session, one, connection, **more):
    return TelegramClient(
        session,
        one["api_id"],
        one["api_hash"],
        connection=connection,
        request_retries=1,
        connection_retries=1,
        timeout=TIMEOUT,
        flood_sleep_threshold=0,
        **more,
    )


async def use(telegram, one, mark):
    """What anybody does with Telegram."""
    me = await telegram.get_me()
    assert (me.id, me.username) == (one["user_id"], one["username"]), me

    dialogs = await telegram.get_dialogs()
    assert len(dialogs) >= 30, len(dialogs)
    assert len({dialog.id for dialog in dialogs}) == len(dialogs)
    assert dialogs.total == len(dialogs), dialogs.total
    supergroup = next(dialog for dialog in dialogs if dialog.title == "Demo supergroup")

    after = max([row["seq"] for row in call("GET", "/ledger")["items"]], default=0)
    private = await telegram.send_message("@client_1", f"{mark}: hello")
    together = await telegram.send_message(supergroup, f"{mark}: **hello** all", parse_mode="md")
    reply = await telegram.send_message(supergroup, f"{mark}: again", reply_to=together.id, silent=True)
    assert reply.reply_to.reply_to_msg_id == together.id
    rows = call("GET", f"/ledger?after={after}")["items"]
    recorded = [(row["account"], row["method"], row["chat_id"], row["text"], row["message_id"]) for row in rows]
    send = "messages.sendMessage"
    assert recorded == [
        (one["name"], send, "6000000001", f"{mark}: hello", private.id),
        (one["name"], send, str(supergroup.id), f"{mark}: hello all", together.id),
        (one["name"], send, str(supergroup.id), f"{mark}: again", reply.id),
    ], recorded
    assert len({row["random_id"] for row in rows}) == 3

    mention = await telegram.send_message(
        supergroup, "<a href='tg://user?id=6000000001'>you</a>, <b>look</b>", parse_mode="html"
    )
    kinds = [type(entity).__name__ for entity in mention.entities]
    assert kinds == ["MessageEntityMentionName", "MessageEntityBold"], kinds
    await mention.delete()

    passed_on = await telegram.forward_messages("@client_2", private)
    assert passed_on.message == private.message and passed_on.fwd_from.from_id.user_id == me.id

    history = await telegram.get_messages(supergroup, limit=2)
    assert [message.id for message in history] == [reply.id, together.id]
    assert history[1].out and history[1].text == f"{mark}: **hello** all", history[1]
    assert (await telegram.get_messages("@client_1", ids=private.id)).message == f"{mark}: hello"
    found = await telegram.get_messages(supergroup, search=f"{mark}: again")
    assert [message.id for message in found] == [reply.id]

    members = await telegram.get_participants(supergroup)
    assert me.id in {member.id for member in members} and len(members) >= 10
    await telegram.send_read_acknowledge("@client_1")
    async with telegram.action("@client_1", "typing"):
        pass

    try:
        await telegram.get_entity("@nobody_at_all")
        raise AssertionError("no one has this name")
    except ValueError:
        pass
    await listen(telegram, one, mark)


async def listen(telegram, one, mark):
    """A message comes, with buttons, and is edited."""
    heard = asyncio.Queue()

    async def new(event):
        await heard.put(("new", event.message))

    async def edited(event):
        await heard.put(("edited", event.message))

    telegram.add_event_handler(new, events.NewMessage(incoming=True))
    telegram.add_event_handler(edited, events.MessageEdited())
    text = f"{mark}: a question"
    buttons = [[{"text": "Yes", "data": "yes"}]]
    order = {"from": "@client_2", "chat": f"@{one['username']}", "text": text, "buttons": buttons}
    written = call("POST", "/telegram/messages", order)
    kind, message = await asyncio.wait_for(heard.get(), TIMEOUT)
    assert (kind, message.message, message.id) == ("new", text, written["message_id"]), message
    assert message.buttons[0][0].text == "Yes" and message.buttons[0][0].data == b"yes"
    sender = await message.get_sender()
    assert sender.username == "client_2"

    path = f"/telegram/messages/{written['chat_id']}/{written['message_id']}"
    await message.click(text="Yes")
    pressed = call("GET", "/ledger")["items"][-1]
    assert (pressed["method"], pressed["text"]) == ("messages.getBotCallbackAnswer", "yes"), pressed
    call("PATCH", path, {"text": f"{text}, changed"})
    kind, message = await asyncio.wait_for(heard.get(), TIMEOUT)
    assert (kind, message.message) == ("edited", f"{text}, changed"), message

    order = {"from": "@client_1", "chat": "-1002000000001", "text": f"{mark}: to all"}
    written = call("POST", "/telegram/messages", order)
    kind, message = await asyncio.wait_for(heard.get(), TIMEOUT)
    assert (kind, message.message, message.id) == ("new", f"{mark}: to all", written["message_id"])


async def with_shared_key(connection):
    one = account("main")
    async with client(shared(one), one, connection) as telegram:
        await use(telegram, one, f"shared {connection.__name__}")


async def with_sign_in(connection):
    one = account("backup_1")
    session = StringSession()
    session.set_dc(2, one["host"], one["port"])
    telegram = client(session, one, connection)
    await telegram.connect()
    try:
        assert not await telegram.is_user_authorized()
        await telegram.send_code_request(one["phone"])
        wrong = "00000" if one["login_code"] != "00000" else "00001"
        try:
            await telegram.sign_in(one["phone"], wrong)
            raise AssertionError("a wrong code signs no one in")
        except errors.PhoneCodeInvalidError:
            pass
        await telegram.sign_in(one["phone"], one["login_code"])
        await use(telegram, one, f"signed in {connection.__name__}")
        await telegram.log_out()
    finally:
        await telegram.disconnect()


async def in_another_data_centre():
    """An account that lives in DC 4 is found from DC 2."""
    order = {"name": "far_away", "phone": "+70000000444", "dialogs": 30, "dc_id": 4}
    one = call("POST", "/telegram/accounts", order)
    second = account("main")
    session = StringSession()
    session.set_dc(2, second["host"], second["port"])
    telegram = client(session, one, ConnectionTcpFull)
    await telegram.connect()
    try:
        await telegram.send_code_request(one["phone"])
        await telegram.sign_in(one["phone"], one["login_code"])
        assert telegram.session.dc_id == 4
        await telegram.send_message("@client_1", "from far away")
        assert len(await telegram.get_dialogs()) == 30
    finally:
        await telegram.disconnect()


async def after_being_away():
    """What was missed is fetched."""
    one = account("backup_2")
    session = shared(one)
    async with client(session, one, ConnectionTcpFull) as telegram:
        await telegram.get_dialogs()
    for number in range(3):
        order = {"from": "@client_3", "chat": "backup_2", "text": f"missed {number}"}
        call("POST", "/telegram/messages", order)
    heard = []
    done = asyncio.Event()
    telegram = client(session, one, ConnectionTcpFull, catch_up=True, sequential_updates=True)

    async def new(event):
        heard.append(event.raw_text)
        if len(heard) == 3:
            done.set()

    telegram.add_event_handler(new, events.NewMessage(incoming=True, from_users="@client_3"))
    async with telegram:
        await asyncio.wait_for(done.wait(), TIMEOUT)
    assert heard == ["missed 0", "missed 1", "missed 2"], heard


async def when_things_go_wrong():
    """A dropped connection is repeated by the client itself, and has one effect."""
    one = account("backup_3")
    async with client(shared(one), one, ConnectionTcpIntermediate) as telegram:
        after = max([row["seq"] for row in call("GET", "/ledger")["items"]], default=0)
        send = {"account": "backup_3", "method": "messages.sendMessage"}
        call("POST", "/faults", {**send, "fault": "disconnect", "times": 1})
        await telegram.send_message("@client_1", "once")
        rows = call("GET", f"/ledger?after={after}")["items"]
        assert [row["text"] for row in rows] == ["once"], rows
        call("POST", "/faults", {**send, "fault": "peer_flood", "times": 1})
        try:
            await telegram.send_message("@client_1", "flooded")
            raise AssertionError("there is a flood")
        except errors.PeerFloodError:
            pass
        try:
            await telegram.send_message("@demo_channel", "not mine")
            raise AssertionError("the channel is another's")
        except errors.ChatWriteForbiddenError:
            pass
        # The last: Telethon itself waits a flood out.
        call("POST", "/faults", {**send, "fault": "flood_wait", "seconds": 300, "times": 1})
        try:
            await telegram.send_message("@client_1", "flooded")
            raise AssertionError("there is a flood")
        except errors.FloodWaitError as flood:
            assert flood.seconds == 300


async def with_chats_of_its_own():
    """A supergroup is made, filled, governed and left."""
    one = account("fifth")
    async with client(shared(one), one, ConnectionTcpAbridged) as telegram:
        made = await telegram(functions.channels.CreateChannelRequest(title="Own", about="", megagroup=True))
        chat = made.chats[0]
        people = [await telegram.get_input_entity(name) for name in ("client_4", "demo_bot_1")]
        invited = await telegram(functions.channels.InviteToChannelRequest(chat, people))
        assert not invited.missing_invitees
        call("POST", "/telegram/users/@client_5/privacy", {"invites": "nobody"})
        shy = await telegram.get_input_entity("client_5")
        refused = await telegram(functions.channels.InviteToChannelRequest(chat, [shy]))
        assert [one.user_id for one in refused.missing_invitees] == [shy.user_id], refused
        await telegram.edit_admin(chat, "demo_bot_1", is_admin=True, title="Admin Bot")
        await telegram.edit_admin(chat, "demo_bot_1", is_admin=False)
        await telegram.edit_admin(chat, "client_4", change_info=True, title="helper")
        admins = await telegram.get_participants(chat, filter=types.ChannelParticipantsAdmins())
        assert len(admins) == 2
        message = await telegram.send_message(chat, "first")
        await telegram.edit_message(message, "second")
        assert (await telegram.get_messages(chat, ids=message.id)).message == "second"
        await telegram.delete_messages(chat, [message.id])
        link = await telegram(functions.messages.ExportChatInviteRequest(chat, legacy_revoke_permanent=True))
        assert link.link.startswith("https://t.me/+")
        full = await telegram(functions.channels.GetFullChannelRequest(chat))
        assert full.full_chat.participants_count == 3
        assert full.full_chat.exported_invite.link == link.link
        await telegram.kick_participant(chat, "client_4")
        await telegram.delete_dialog(chat)
        await becomes_a_supergroup(telegram)


async def becomes_a_supergroup(telegram):
    """A basic group is made, and becomes a supergroup."""
    people = [await telegram.get_input_entity(name) for name in ("client_4", "client_5")]
    made = await telegram(functions.messages.CreateChatRequest(people, "Small"))
    assert [one.user_id for one in made.missing_invitees] == [people[1].user_id], made
    small = made.updates.chats[0]
    old = await telegram.send_message(small, "before")
    updates = await telegram(functions.messages.MigrateChatRequest(small.id))
    large = next(chat for chat in updates.chats if isinstance(chat, types.Channel))
    assert (await telegram.send_message(large, "after")).id == 2
    assert (await telegram.get_messages(small, ids=old.id)).message == "before"
    full = await telegram(functions.channels.GetFullChannelRequest(large))
    assert full.full_chat.migrated_from_chat_id == small.id
    dialogs = await telegram.get_dialogs()
    left = next(one for one in dialogs if one.is_group and one.entity.id == small.id)
    assert left.entity.migrated_to.channel_id == large.id


async def main():
    rsa.add_key(call("GET", "/telegram/rsa-public-key"), old=False)
    for connection in (ConnectionTcpFull, ConnectionTcpIntermediate, ConnectionTcpAbridged):
        await with_shared_key(connection)
        await with_sign_in(connection)
    await in_another_data_centre()
    await after_being_away()
    await when_things_go_wrong()
    await with_chats_of_its_own()
    unknown = call("GET", "/unknown")["items"]
    assert unknown == [], unknown
    print("fine")


if __name__ == "__main__":
    asyncio.run(main())
