"""maxapi as a bot of MAX: it hears a customer, answers, edits, and is refused with a wrong token."""

import asyncio
import ssl

from aiohttp import TCPConnector
from maxapi import Bot
from maxapi.client.default import DefaultConnectionProperties
from maxapi.exceptions.max import InvalidToken, MaxApiError
from maxapi.methods.types.getted_updates import process_update_request

from world import account, customer, last


def bot(token):
    fields = account("assistant")
    context = ssl.create_default_context(cafile=fields["ca_file"])
    made = Bot(token, default_connection=DefaultConnectionProperties(connector=TCPConnector(ssl=context)))
    made.set_api_url(fields["api"])
    return made


async def main():
    ours = bot(account("assistant")["token"])
    assert (await ours.get_me()).username == "demo_assistant_bot"
    customer("max", "assistant", "5000", text="Есть доставка?", name="Анна")
    polled = await ours.get_updates()
    updates = await process_update_request(events=polled, bot=ours)
    message = next(update.message for update in updates if update.update_type == "message_created")
    assert (message.body.text, message.sender.first_name) == ("Есть доставка?", "Анна")

    chat = message.recipient.chat_id
    sent = (await ours.send_message(chat_id=chat, text="Да")).message
    assert sent.body.text == "Да" and last("max")["text"] == "Да"
    assert (await ours.edit_message(sent.body.mid, text="Да, завтра")).success
    assert (await ours.get_message(sent.body.mid)).body.text == "Да, завтра"
    try:
        await ours.send_message(chat_id=1, text="no one")
        raise AssertionError("a chat that there is not was taken")
    except MaxApiError as error:
        assert error.code == 404, error
    await ours.close_session()

    wrong = bot("wrong")
    try:
        await wrong.get_me()
        raise AssertionError("a wrong token was taken")
    except InvalidToken:
        print("fine")
    await wrong.close_session()


asyncio.run(main())
