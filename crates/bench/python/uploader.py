"""The baseline of uploads: Telethon with cryptg sends files, one after the other.

Reads one path a line from the standard input, sends it as a document to the user that is named first, and answers each
with one line of JSON: seconds, processor seconds, and the process's largest memory so far in kilobytes.
"""

import asyncio
import json
import os
import resource
import sys
import time

import cryptg  # noqa: F401  Telethon uses it when it is there; without it this baseline would be another one
from telethon import TelegramClient
from telethon.crypto import AuthKey
from telethon.sessions import StringSession


def session_from_environment():
    session = StringSession()
    session.set_dc(int(os.environ["BASELINE_DC_ID"]), os.environ["BASELINE_HOST"], int(os.environ["BASELINE_PORT"]))
    session.auth_key = AuthKey(bytes.fromhex(os.environ["BASELINE_AUTH_KEY"]))
    return session


async def main(recipient):
    client = TelegramClient(
        session_from_environment(), int(os.environ["BASELINE_API_ID"]), os.environ["BASELINE_API_HASH"]
    )
    await client.connect()
    entity = await client.get_input_entity(recipient)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        began, processor = time.perf_counter(), time.process_time()
        message = await client.send_file(entity, line.strip(), force_document=True)
        took = {
            "seconds": time.perf_counter() - began,
            "processor": time.process_time() - processor,
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            "message_id": message.id,
        }
        print(json.dumps(took), flush=True)
    await client.disconnect()


asyncio.run(main(sys.argv[1]))
