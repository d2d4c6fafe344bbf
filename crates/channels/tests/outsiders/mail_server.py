"""A server that takes mails, aiosmtpd, and writes each into the maildir that is given; it prints its port. A client signs in as `shop`.

With a certificate and its key it wants STARTTLS, and prints a second port, with TLS from the first byte."""

import asyncio
import ssl
import sys

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP, AuthResult


def sign_in(server, session, envelope, mechanism, data):
    is_right = (data.login, data.password) == (b"shop", b"planted-word")
    return AuthResult(success=is_right, handled=False)


async def serve(maildir, *certificate):
    def talk(**more):
        return SMTP(
            Mailbox(maildir),
            authenticator=sign_in,
            auth_required=True,
            auth_require_tls=False,
            enable_SMTPUTF8=True,
            **more,
        )

    start = asyncio.get_running_loop().create_server
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*certificate)
        first = await start(lambda: talk(tls_context=tls, require_starttls=True), "127.0.0.1", 0)
        servers = [first, await start(talk, "127.0.0.1", 0, ssl=tls)]
    else:
        servers = [await start(talk, "127.0.0.1", 0)]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


asyncio.run(serve(*sys.argv[1:]))
