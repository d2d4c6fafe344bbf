"""Files, with Telethon: up, into albums, down again, from another data centre too.

Run by the test `telethon` with the address of the control port. Prints `fine` at the end; anything else is a failure.
"""

import asyncio
import hashlib
import io
import struct
import zlib

from outsider import account, call, client, shared
from telethon import errors, functions, types
from telethon.crypto import rsa
from telethon.network import ConnectionTcpFull


def picture(width, height):
    """A grey PNG."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x80" * width) * height
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def named(content, name):
    file = io.BytesIO(content)
    file.name = name
    return file


def newest():
    return call("GET", "/ledger")["items"][-1]


async def up_and_down(telegram, size):
    """Small files and big ones go by different methods."""
    content = bytes(number % 251 for number in range(1 << 16)) * (size // (1 << 16) + 1)
    content = content[:size]
    sent = await telegram.send_file("@client_1", named(content, "data.bin"), caption="**data**", parse_mode="md")
    assert (sent.message, sent.file.name, sent.file.size) == ("data", "data.bin", size), sent
    row = newest()
    assert (row["method"], row["text"], row["message_id"]) == ("messages.sendMedia", "data", sent.id), row
    media = row["media"]
    assert (media["kind"], media["file_name"], media["size"]) == ("document", "data.bin", size), media
    assert media["md5"] == hashlib.md5(content).hexdigest()
    shown = call("GET", f"/telegram/messages/{row['chat_id']}/{sent.id}?account=main")
    assert shown["media"] == media, shown
    assert await sent.download_media(file=bytes) == content
    return sent


async def albums(telegram):
    group = next(dialog for dialog in await telegram.get_dialogs() if dialog.title == "Demo supergroup")
    files = [named(picture(40 + number, 30), f"{number}.png") for number in range(3)]
    sent = await telegram.send_file(group, files, caption=["one", "", "three"])
    assert [one.message for one in sent] == ["one", "", "three"]
    assert len({one.grouped_id for one in sent}) == 1 and sent[0].grouped_id
    assert [one.photo.sizes[-1].w for one in sent] == [40, 41, 42]
    for one, file in zip(sent, files):
        assert await one.download_media(file=bytes) == file.getvalue()
    rows = call("GET", "/ledger")["items"][-3:]
    assert [row["media"]["kind"] for row in rows] == ["photo"] * 3, rows
    try:
        await telegram.send_file(group, named(b"no picture", "no.png"), force_document=False)
        raise AssertionError("that is no picture")
    except errors.ImageProcessFailedError:
        pass


async def again(telegram, sent):
    """A file is sent again by its reference while that lives."""
    await telegram.send_file("@client_2", sent.media)
    assert newest()["media"]["file_id"] == sent.document.id
    assert call("POST", f"/telegram/files/{sent.document.id}/expire") == {"files": 1}
    try:
        await telegram.send_file("@client_2", sent.media)
        raise AssertionError("the reference has expired")
    except errors.FileReferenceExpiredError:
        pass
    fresh = await telegram.get_messages("@client_1", ids=sent.id)
    await telegram.send_file("@client_2", fresh.media)


async def from_others(telegram):
    """What others send is heard and fetched, wherever it lies."""
    order = {
        "from": "@client_3",
        "chat": "main",
        "text": "my voice",
        "media": [{"kind": "voice", "content": "T2dnUw==", "size": 700_001, "dc_id": 4}],
    }
    written = call("POST", "/telegram/messages", order)
    message = await telegram.get_messages("@client_3", ids=written["message_id"])
    assert message.voice and message.message == "my voice", message
    assert message.voice.dc_id == 4 and telegram.session.dc_id == 2
    content = await message.download_media(file=bytes)
    assert content == (b"OggS" * 200_000)[:700_001]


async def when_things_go_wrong(telegram):
    """A dropped connection in the middle of an upload is repeated by the client; there is one message."""
    before = len(call("GET", "/ledger")["items"])
    for method in ("upload.saveBigFilePart", "messages.sendMedia"):
        call("POST", "/faults", {"method": method, "fault": "disconnect", "times": 1})
    content = b"\1\2\3" * 4_000_000
    await telegram.send_file("@client_1", named(content, "cut.bin"))
    rows = call("GET", "/ledger")["items"][before:]
    assert [row["media"]["md5"] for row in rows] == [hashlib.md5(content).hexdigest()], rows
    try:
        part = functions.upload.SaveFilePartRequest(file_id=1, file_part=0, bytes=b"")
        await telegram(part)
        raise AssertionError("a part is never empty")
    except errors.FilePartEmptyError:
        pass
    missing = types.InputMediaUploadedDocument(types.InputFileBig(77, 3, "x"), "text/plain", [])
    try:
        await telegram(functions.messages.SendMediaRequest(types.InputPeerSelf(), missing, "", random_id=1))
        raise AssertionError("no part was sent")
    except errors.FilePart0MissingError:
        pass


async def main():
    rsa.add_key(call("GET", "/telegram/rsa-public-key"), old=False)
    one = account("main")
    async with client(shared(one), one, ConnectionTcpFull) as telegram:
        await up_and_down(telegram, 1)
        sent = await up_and_down(telegram, 700_000)
        await up_and_down(telegram, 11_000_000)
        await albums(telegram)
        await again(telegram, sent)
        await from_others(telegram)
        await when_things_go_wrong(telegram)
    unknown = call("GET", "/unknown")["items"]
    assert unknown == [], unknown
    print("fine")


asyncio.run(main())
