"""openai as a client of language models: it chats, calls tools, streams, has a voice transcribed, and is refused."""

import json

import openai

from world import CONTROL, control, last

BASE, MODEL = f"http://{CONTROL}/ai/v1", "demo-chat"


def client(key="planted-ai-key"):
    return openai.OpenAI(api_key=key, base_url=BASE, max_retries=0, timeout=20)


def refused(kind, status, work):
    try:
        work()
    except kind as error:
        assert error.status_code == status, error
        return error
    raise AssertionError(f"{kind.__name__} was expected")


def user(text):
    return [{"role": "system", "content": "You sell bicycles."}, {"role": "user", "content": text}]


def tool(name, **properties):
    schema = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


ours = client()
assert [model.id for model in ours.models.list()] == ["demo-chat", "demo-reasoner", "demo-whisper"]
assert ours.models.retrieve(MODEL).id == MODEL
chats = ours.chat.completions

answer = chats.create(model=MODEL, messages=user("Is it new?"), user="chat-7", max_tokens=100)
assert answer.choices[0].message.content == 'You wrote: "Is it new?".', answer
assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
row = last("ai")
assert (row["account"], row["chat_id"], row["text"]) == (MODEL, "chat-7", "Is it new?"), row
assert row["external_id"] == answer.id

tools = [tool("hand_over", reason={"type": "string"})]
messages = user("An operator, please")
called = chats.create(model=MODEL, messages=messages, tools=tools).choices[0]
assert called.finish_reason == "tool_calls"
call = called.message.tool_calls[0]
assert (call.function.name, json.loads(call.function.arguments)) == ("hand_over", {"reason": "An operator, please"})
messages += [called.message, {"role": "tool", "tool_call_id": call.id, "content": "done"}]
assert chats.create(model=MODEL, messages=messages, tools=tools).choices[0].message.content.startswith("You wrote")

with chats.stream(
    model=MODEL, messages=user("One two three"), stream_options={"include_usage": True}
) as stream:
    pieces = [event.delta for event in stream if event.type == "content.delta"]
    whole = stream.get_final_completion()
assert len(pieces) > 3 and "".join(pieces) == whole.choices[0].message.content == 'You wrote: "One two three".'
assert whole.usage.completion_tokens > 0
with chats.stream(model=MODEL, messages=user("An operator, please"), tools=tools) as stream:
    call = stream.get_final_completion().choices[0].message.tool_calls[0]
assert (call.function.name, json.loads(call.function.arguments)["reason"]) == ("hand_over", "An operator, please")

heard = ours.audio.transcriptions.create(model="demo-whisper", file=("voice.ogg", "Есть доставка?".encode()))
assert heard.text == "Есть доставка?" and last("ai")["file_kind"] == "voice"

refused(openai.AuthenticationError, 401, lambda: client("wrong").models.list())
refused(openai.NotFoundError, 404, lambda: chats.create(model="none", messages=user("x")))
wrong = refused(openai.BadRequestError, 400, lambda: chats.create(model=MODEL, messages=[]))
assert (wrong.param, wrong.type) == ("messages", "invalid_request_error"), wrong
refused(openai.BadRequestError, 400, lambda: chats.create(model=MODEL, messages=user("x"), max_tokens=0))
note = ("voice.txt", b"x")
refused(
    openai.BadRequestError, 400, lambda: ours.audio.transcriptions.create(model="demo-whisper", file=note)
)


def struck(fault, **more):
    control("POST", "/faults", {"provider": "ai", "fault": fault, "times": 1, **more})
    return chats.create(model=MODEL, messages=user("Hello"))


limited = refused(openai.RateLimitError, 429, lambda: struck("rate_limit", seconds=3))
assert limited.response.headers["retry-after"] == "3"
refused(openai.InternalServerError, 500, lambda: struck("error"))
assert struck("truncated").choices[0].finish_reason == "length"
assert struck("content_filter").choices[0].finish_reason == "content_filter"
assert struck("refusal").choices[0].message.refusal
assert struck("empty").choices[0].message.content == ""
assert struck("over_budget").usage.total_tokens > 10**8
try:
    struck("cut")
    raise AssertionError("half an answer was taken")
except openai.APIConnectionError:
    print("fine")
