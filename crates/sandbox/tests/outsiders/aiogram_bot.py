"""aiogram as a Telegram bot: it hears a customer, answers, edits, and is refused with a wrong token."""

import asyncio

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramUnauthorizedError
from aiogram.types import BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup

from world import account, customer, last


def bot(token):
    api = TelegramAPIServer.from_base(account("bot")["api"])
    return Bot(token, session=AiohttpSession(api=api))


async def main():
    token = account("bot")["token"]
    async with bot(token) as ours:
        assert (await ours.get_me()).username == "demo_shop_bot"
        customer("telegram", "bot", "5000", text="Are you open?", name="Anna")
        [update] = await ours.get_updates(timeout=10)
        message = update.message
        assert (message.text, message.from_user.first_name) == ("Are you open?", "Anna")
        assert await ours.get_updates(offset=update.update_id + 1) == []

        markup = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Yes", callback_data="yes")]])
        answer = await ours.send_message(
            message.chat.id, "<b>Until</b> 8 pm", parse_mode="HTML", reply_markup=markup,
            reply_to_message_id=message.message_id,
        )
        assert (answer.text, answer.entities[0].type) == ("Until 8 pm", "bold")
        assert last("telegram")["text"] == "Until 8 pm"
        edited = await ours.edit_message_text("Until 9 pm", chat_id=message.chat.id, message_id=answer.message_id)
        assert edited.text == "Until 9 pm"

        sent = await ours.send_document(message.chat.id, BufferedInputFile(b"planted", "prices.txt"), caption="Prices")
        file = await ours.get_file(sent.document.file_id)
        content = await ours.download_file(file.file_path)
        assert (sent.document.file_name, sent.caption, content.read()) == ("prices.txt", "Prices", b"planted")

        try:
            await ours.send_message(1, "no one")
            raise AssertionError("a chat that there is not was taken")
        except TelegramBadRequest as error:
            assert "chat not found" in error.message, error
    async with bot(f"{token[:-1]}x") as wrong:
        try:
            await wrong.get_me()
            raise AssertionError("a wrong token was taken")
        except TelegramUnauthorizedError:
            print("fine")


asyncio.run(main())
