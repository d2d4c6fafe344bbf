"""Mail servers with certificates of every kind, good and bad, on free ports of this machine.

The folder that is given gets ca.pem, whom to trust, and ports.json. What happens is written to events.jsonl: mails taken, and
passwords brought, each with whether the way was encrypted. It goes on until it is ended.
"""

import asyncio
import datetime
import json
import pathlib
import ssl
import sys

import trustme
from aiosmtpd.smtp import SMTP, AuthResult

HERE = "127.0.0.1"


def main(folder):
    loop = asyncio.new_event_loop()
    events = (folder / "events.jsonl").open("w", buffering=1)
    ports = loop.run_until_complete(start(loop, folder, events))
    fresh = folder / "ports.json.new"
    fresh.write_text(json.dumps(ports))
    fresh.rename(folder / "ports.json")
    loop.run_forever()


async def start(loop, folder, events):
    trusted, unknown = trustme.CA(), trustme.CA()
    trusted.cert_pem.write_to_path(str(folder / "ca.pem"))
    past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=2)
    good = context(trusted.issue_cert(HERE))
    servers = {
        "tls": (good, {"auth_require_tls": False}, True),
        "starttls": (good, {"require_starttls": True, "auth_required": True}, False),
        # Someone on the way has taken STARTTLS out, and waits for the password.
        "stripped": (None, {"auth_require_tls": False}, False),
        "other_name": (context(trusted.issue_cert("mail.example.com")), {"auth_require_tls": False}, True),
        "expired": (context(trusted.issue_cert(HERE, not_after=past)), {"auth_require_tls": False}, True),
        "unknown": (context(unknown.issue_cert(HERE)), {"auth_require_tls": False}, True),
        "unknown_starttls": (context(unknown.issue_cert(HERE)), {"require_starttls": True}, False),
    }
    ports = {}
    for name, (certificate, options, implicit) in servers.items():
        ports[name] = await listen(loop, name, certificate, options, implicit, events)
    return ports


def context(certificate):
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(made)
    return made


async def listen(loop, name, certificate, options, implicit, events):
    def note(**what):
        print(json.dumps({"server": name, **what}), file=events)

    def is_encrypted(server):
        return server.transport.get_extra_info("ssl_object") is not None

    class Mailbox:
        async def handle_DATA(self, server, session, envelope):
            text = envelope.content.decode("utf-8", "replace")
            note(mail=text, to=envelope.rcpt_tos, encrypted=is_encrypted(server))
            return "250 taken"

    def authenticator(server, session, envelope, mechanism, data):
        login, password = data.login.decode(), data.password.decode()
        note(login=login, password=password, encrypted=is_encrypted(server))
        return AuthResult(success=(login, password) == ("demo", "word of mail"))

    def made():
        starttls = None if implicit else certificate
        return SMTP(Mailbox(), loop=loop, tls_context=starttls, authenticator=authenticator, **options)

    listening = await loop.create_server(made, HERE, 0, ssl=certificate if implicit else None)
    return listening.sockets[0].getsockname()[1]


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
