"""vkbottle as a community of VK: its long poll hears a customer, its API answers, and it is refused with a wrong key."""

import asyncio

import vkbottle.api.api
from vkbottle import API, VKAPIError
from vkbottle.polling import BotPolling

from world import account, customer, last

# The library takes no other address.
vkbottle.api.api.API.API_URL = account("club")["api"] + "/method/"


async def main():
    club = account("club")
    api = API(club["token"])
    group = club["group_id"]
    assert (await api.groups.get_by_id(group_id=group)).groups[0].id == group
    await api.groups.set_long_poll_settings(group_id=group, enabled=True, message_new=True, api_version="5.199")
    polling = BotPolling(api, group_id=group, wait=5)
    events = polling.listen()
    first = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0.5)
    customer("vk", "club", "5000", text="Есть доставка?", name="Анна Иванова")
    [update] = (await asyncio.wait_for(first, 20))["updates"]
    polling.stop()
    message = update["object"]["message"]
    assert (update["type"], message["text"]) == ("message_new", "Есть доставка?"), update

    user = (await api.users.get(user_ids=[message["from_id"]]))[0]
    assert user.first_name == "Анна"
    sent = await api.messages.send(peer_id=message["peer_id"], message="Да", random_id=7)
    assert sent > 0 and last("vk")["text"] == "Да"
    # The key against doubles.
    assert await api.messages.send(peer_id=message["peer_id"], message="Да", random_id=7) == sent
    history = await api.messages.get_history(peer_id=message["peer_id"])
    assert [item.text for item in history.items] == ["Да", "Есть доставка?"], history

    try:
        await api.messages.send(peer_id=1, message="no one", random_id=8)
        raise AssertionError("a user who has not written was taken")
    except VKAPIError[901]:
        pass
    try:
        await API("wrong").groups.get_by_id(group_id=group)
        raise AssertionError("a wrong key was taken")
    except VKAPIError[5]:
        pass
    await api.http_client.close()
    print("fine")


asyncio.run(main())
