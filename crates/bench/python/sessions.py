"""Makes Telethon session files as an old installation has them: a key, and the peers that the library has kept.

Reads one account a line (JSON: name, dc_id, host, port, auth_key) from the standard input; the first argument is the
folder, the second how many peers each file has. The files are 1 MB and more, as those of accounts that send many files are:
the library keeps a row for each file that it sent.
"""

import hashlib
import json
import sys
import time

from telethon.crypto import AuthKey
from telethon.sessions import SQLiteSession

# Files that the account has sent.
SENT = 7_000


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
    sent = []
    for number in range(SENT):
        digest = hashlib.md5(f"{account['name']} {number}".encode()).digest()
        sent.append((digest, 40_000 + number, number % 2, 5_000_000_000_000_000_000 + number, 0x1234_5678_0000_0000 + number))
    connection.executemany("insert or replace into sent_files values (?,?,?,?,?)", sent)
    connection.commit()
    session.close()


for line in sys.stdin:
    make(sys.argv[1], json.loads(line), int(sys.argv[2]))
