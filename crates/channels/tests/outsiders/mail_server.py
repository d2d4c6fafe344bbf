"""A server that takes mails, aiosmtpd, and writes each into the maildir that is given; it prints its port. A client signs in as `shop`."""

import asyncio
import sys

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP, AuthResult


def sign_in(server, session, envelope, mechanism, data):
    is_right = (data.login, data.password) == (b"shop", b"planted-word")
    return AuthResult(success=is_right, handled=False)


async def serve(maildir):
    def talk():
        return SMTP(
            Mailbox(maildir), authenticator=sign_in, auth_required=True, auth_require_tls=False, enable_SMTPUTF8=True
        )

    server = await asyncio.get_running_loop().create_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(serve(sys.argv[1]))
