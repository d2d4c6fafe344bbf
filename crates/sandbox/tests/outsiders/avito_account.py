"""avito-api as an account of Avito: it reads what a customer wrote, answers, and is refused with a wrong secret."""

from avito_api.client.sync import SyncApiClient
from avito_api.config import ApiConfig, ClientConfig
from avito_api.exceptions import AvitoApiError, NotFoundError
from avito_api.messenger import SyncMessengerClient
from avito_api.user import SyncUserClient

from world import account, customer, last

FIELDS = account("shop")


def client(kind, secret) -> SyncApiClient:
    config = ClientConfig(api=ApiConfig(base_url=FIELDS["api"]))
    return kind(client_id=FIELDS["client_id"], client_secret=secret, config=config)


user = client(SyncUserClient, FIELDS["client_secret"]).get_account().id
ours = client(SyncMessengerClient, FIELDS["client_secret"])
written = customer("avito", "shop", "5000", text="Велосипед ещё есть?", name="Анна")
chat = written["chat_id"]
found = ours.get_chats(user).chats
assert [one.id for one in found] == [chat] and found[0].users[1].name == "Анна", found
message = ours.get_messages(user, chat).messages[0]
assert (message.id, message.content.text) == (written["message_id"], "Велосипед ещё есть?"), message

answer = ours.send_message(user, chat, "Да")
assert answer.content.text == "Да" and last("avito")["external_id"] == answer.id
assert ours.mark_chat_as_read(user, chat).ok
assert ours.delete_message(user, chat, answer.id) is not None
try:
    ours.send_message(user, "u2i-none", "no one")
    raise AssertionError("a chat that there is not was taken")
except NotFoundError:
    pass
try:
    client(SyncMessengerClient, "wrong").get_chats(user)
    raise AssertionError("a wrong secret was taken")
except AvitoApiError:
    print("fine")
