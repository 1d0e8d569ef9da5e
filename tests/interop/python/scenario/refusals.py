"""Bad input gets the reason the API promises, by unary call and on the stream alike."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from google.protobuf.message import Message
from parlor.chat.v1 import chat_service_pb2, content_pb2, log_pb2

from parlor_client.api import new_op, reason_name
from parlor_client.client import Client

from .accounts import refused
from .world import PASSWORD, World

MAX_ENTRY_BYTES = 16 * 1024


def text(conversation_id: str, body: str, base_seq: int, op: str) -> log_pb2.Append:
    """An append of a text."""
    content = content_pb2.Content(text=content_pb2.Text(body=body))
    return log_pb2.Append(conversation_id=conversation_id, op=op, base_seq=base_seq, content=content)


async def appends(world: World) -> None:
    """base_seq ahead, op reused, text too large or empty: the same reason both ways, and nothing stored"""
    client = world.ada.client
    tablet = Client("ada", world.folder / "tablet", world.ada.address)
    await tablet.login(world.api, PASSWORD)
    head = client.store.held(world.direct).head
    used = client.store.log(world.direct)[-1].op
    cases = {
        "BASE_SEQ_AHEAD": text(world.direct, "from the future", head + 1, new_op()),
        "OP_REUSED": text(world.direct, "another text", 0, used),
        "CONTENT_TOO_LARGE": text(world.direct, "x" * (MAX_ENTRY_BYTES + 1), head, new_op()),
        "FIELD_INVALID": text(world.direct, "", head, new_op()),
        "CONVERSATION_NOT_FOUND": text(str(uuid.uuid4()), "anybody?", 0, new_op()),
    }
    for reason, append in cases.items():
        request = chat_service_pb2.AppendRequest(append=append)
        await refused(world.api.call(world.api.chat.Append, request, client.token), reason)
        result = await world.stream_append(tablet.token, append)
        streamed = reason_name(result.problem.reason)
        assert streamed == reason, f"unary says {reason}, the stream says {streamed or result}"
    await tablet.close()
    await world.verify(world.direct)


async def strangers(world: World) -> None:
    """to a stranger a conversation looks exactly like one there is not, whatever is called"""
    token = world.eve.client.token
    chat = world.api.chat
    calls: list[tuple[Callable, Callable[[str], Message]]] = [
        (chat.GetConversation, lambda id: chat_service_pb2.GetConversationRequest(conversation_id=id)),
        (chat.Fetch, lambda id: chat_service_pb2.FetchRequest(conversation_id=id, from_seq=1)),
        (chat.ListMessages, lambda id: chat_service_pb2.ListMessagesRequest(conversation_id=id)),
        (chat.MarkReceived, lambda id: chat_service_pb2.MarkReceivedRequest(conversation_id=id, seq=1)),
        (chat.MarkRead, lambda id: chat_service_pb2.MarkReadRequest(conversation_id=id, seq=1)),
        (chat.Append, lambda id: chat_service_pb2.AppendRequest(append=text(id, "let me in", 0, new_op()))),
    ]
    for conversation_id in (world.direct, world.group):
        for method, request in calls:
            there = await refused(world.api.call(method, request(conversation_id), token), "CONVERSATION_NOT_FOUND")
            nowhere = request(str(uuid.uuid4()))
            absent = await refused(world.api.call(method, nowhere, token), "CONVERSATION_NOT_FOUND")
            same = (there.code, there.message, there.details) == (absent.code, absent.message, absent.details)
            assert same, f"G7: {type(nowhere).__name__} tells a stranger what exists: {there} against {absent}"
    await refused(world.api.call(chat.Fetch, calls[1][1](world.direct)), "TOKEN_MISSING")
    await refused(world.api.call(chat.Fetch, calls[1][1](world.direct), token[:-4] + "AAAA"), "TOKEN_INVALID")
