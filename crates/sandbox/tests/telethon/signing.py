"""Signing in with Telethon: by phone, with a password, by QR code, at another data centre.

Run by the test `telethon` with the address of the control port. Prints `fine` at the end; anything else is a failure.
"""

import asyncio

from outsider import TIMEOUT, account, call, client, shared
from telethon import errors, functions
from telethon.crypto import rsa
from telethon.network import ConnectionTcpFull
from telethon.sessions import StringSession


async def stranger(one):
    """A client that is signed in nowhere, and knows DC 2 alone."""
    second = account("main")
    session = StringSession()
    session.set_dc(2, second["host"], second["port"])
    telegram = client(session, one, ConnectionTcpFull)
    await telegram.connect()
    assert not await telegram.is_user_authorized()
    return telegram


async def is_in(telegram, one):
    me = await telegram.get_me()
    assert me.id == one["user_id"], me
    await telegram.send_message("@client_1", "signed in")


async def by_phone():
    """The code by the app, then as a text message; a wrong one, then the right one."""
    one = account("backup_2")
    telegram = await stranger(one)
    try:
        sent = await telegram.send_code_request(one["phone"])
        await telegram(functions.auth.ResendCodeRequest(one["phone"], sent.phone_code_hash))
        codes = call("GET", "/telegram/codes")["items"]
        assert [(code["phone"], code["way"]) for code in codes] == [(one["phone"], "sms")], codes
        try:
            await telegram.sign_in(one["phone"], "no code")
            raise AssertionError("that is not the code")
        except errors.PhoneCodeInvalidError:
            pass
        await telegram.sign_in(one["phone"], codes[0]["code"])
        await is_in(telegram, one)
        await telegram.log_out()
    finally:
        await telegram.disconnect()


async def expired():
    one = account("backup_2")
    telegram = await stranger(one)
    try:
        await telegram.send_code_request(one["phone"])
        assert call("POST", "/telegram/codes/expire") == {"codes": 1}
        try:
            await telegram.sign_in(one["phone"], one["login_code"])
            raise AssertionError("the code has expired")
        except errors.PhoneCodeExpiredError:
            pass
    finally:
        await telegram.disconnect()


async def by_password():
    one = account("backup_3")
    call("PUT", "/telegram/accounts/backup_3/sign-in", {"password": "пароль 1", "hint": "a word"})
    assert account("backup_3")["password"] == "пароль 1"
    telegram = await stranger(one)
    try:
        await telegram.send_code_request(one["phone"])
        try:
            await telegram.sign_in(one["phone"], one["login_code"])
            raise AssertionError("there is a password")
        except errors.SessionPasswordNeededError:
            pass
        asked = await telegram(functions.account.GetPasswordRequest())
        assert asked.hint == "a word" and asked.has_password
        try:
            await telegram.sign_in(password="wrong")
            raise AssertionError("that is not the password")
        except errors.PasswordHashInvalidError:
            pass
        await telegram.sign_in(password="пароль 1")
        await is_in(telegram, one)
    finally:
        await telegram.disconnect()


async def by_qr(name, accept, password=None):
    one = account(name)
    telegram = await stranger(one)
    try:
        qr = await telegram.qr_login()
        waiting = asyncio.ensure_future(qr.wait(TIMEOUT))
        await asyncio.sleep(0)
        await accept(one, qr)
        try:
            await waiting
            assert password is None
        except errors.SessionPasswordNeededError:
            await telegram.sign_in(password=password)
        assert telegram.session.dc_id == one["dc_id"]
        await is_in(telegram, one)
    finally:
        await telegram.disconnect()


async def by_control(one, qr):
    call("POST", "/telegram/login-tokens/accept", {"token": qr.url, "account": one["name"]})


async def by_another_session(one, qr):
    async with client(shared(one), one, ConnectionTcpFull) as other:
        await other(functions.auth.AcceptLoginTokenRequest(qr.token))


async def terms():
    one = account("main")
    call("PUT", "/telegram/accounts/main/sign-in", {"terms": "Be kind"})
    async with client(shared(one), one, ConnectionTcpFull) as telegram:
        asked = await telegram(functions.help.GetTermsOfServiceUpdateRequest())
        assert asked.terms_of_service.text == "Be kind"
        assert await telegram(functions.help.AcceptTermsOfServiceRequest(asked.terms_of_service.id))


async def refused():
    """Phones that no one signs in with."""
    telegram = await stranger(account("main"))
    call("PUT", "/telegram/accounts/main/sign-in", {"banned": True})
    try:
        for phone, error in (
            (account("main")["phone"], errors.PhoneNumberBannedError),
            ("12", errors.PhoneNumberInvalidError),
        ):
            try:
                await telegram.send_code_request(phone)
                raise AssertionError(phone)
            except error:
                pass
        for _ in range(5):
            await telegram(send_code("+70000000555"))
        try:
            await telegram(send_code("+70000000555"))
            raise AssertionError("that is a flood")
        except errors.FloodWaitError as flood:
            assert 0 < flood.seconds <= 601
    finally:
        await telegram.disconnect()


def send_code(phone):
    from telethon.tl.types import CodeSettings

    return functions.auth.SendCodeRequest(phone, 1, "hash", CodeSettings())


async def main():
    rsa.add_key(call("GET", "/telegram/rsa-public-key"), old=False)
    order = {"name": "far_away", "phone": "+70000000444", "dialogs": 30, "dc_id": 4}
    call("POST", "/telegram/accounts", order)
    await by_phone()
    await expired()
    await by_password()
    await by_qr("backup_1", by_control)
    await by_qr("backup_1", by_another_session)
    await by_qr("far_away", by_another_session)
    call("PUT", "/telegram/accounts/far_away/sign-in", {"password": "horse"})
    await by_qr("far_away", by_control, password="horse")
    await terms()
    await refused()
    unknown = call("GET", "/unknown")["items"]
    assert unknown == [], unknown
    print("fine")


asyncio.run(main())
