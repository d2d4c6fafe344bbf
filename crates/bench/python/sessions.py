"""Makes Telethon session files as an old installation has them: a key, and the peers that the library has kept.

Reads one account a line (JSON: name, dc_id, host, port, auth_key) from the standard input; the first argument is the
folder, the second how many peers each file has.
"""

import json
import sys
import time

from telethon.crypto import AuthKey
from telethon.sessions import SQLiteSession


def make(folder, account, peers):
    session = SQLiteSession(f"{folder}/{account['name']}")
    session.set_dc(account["dc_id"], account["host"], account["port"])
    session.auth_key = AuthKey(bytes.fromhex(account["auth_key"]))
    session.save()
    now = int(time.time())
    rows = []
    for number in range(peers):
        # People and supergroups by turns, with names as long as they are in life.
        person = number % 2 == 0
        marked = 7_100_000_000 + number if person else -1_002_100_000_000 - number
        name = f"{'Customer' if person else 'Repair'} {number} of {account['name']} with a name of some length"
        rows.append((marked, 0x1234_5678_0000_0000 + number, f"{account['name']}_{number}_name", None, name, now))
    connection = session._cursor().connection
    connection.executemany("insert or replace into entities values (?,?,?,?,?,?)", rows)
    connection.commit()
    session.close()


for line in sys.stdin:
    make(sys.argv[1], json.loads(line), int(sys.argv[2]))
