"""Talking, and every way of being interrupted."""

from __future__ import annotations

import asyncio
import random
import shutil
from functools import partial

from parlor.chat.v1 import chat_service_pb2, content_pb2, log_pb2

from harness.proxy import Way
from parlor_client.api import new_op, reason_name
from parlor_client.client import Client

from .world import PASSWORD, Person, World, direct_id, group_id

BURST = 30
"""Messages in a burst; below the server's burst limit of 40 for one person in one conversation."""

BURST_TAKES = 0.03
"""Seconds from the sending of a burst to its last answer, roughly."""


def texts(topic: str, count: int = BURST) -> list[str]:
    """So many different messages."""
    return [f"{topic} {number}" for number in range(1, count + 1)]


def is_answered(person: Person, op: str) -> bool:
    """Whether the server has answered this append."""
    return op in person.client.record.answers


def was_told(person: Person, reason: str) -> bool:
    """Whether the server said goodbye with this reason."""
    return any(reason_name(goodbye.reason) == reason for goodbye in person.client.record.goodbyes)


async def conversations(world: World) -> None:
    """a direct and a group conversation come to be once, with the ids the API promises"""
    ada, bob = world.ada.client, world.bob.client
    for client in (ada, bob):
        client.start()
    for client in (ada, bob):
        await client.online()

    world.direct = direct_id(ada.user_id, bob.user_id)
    created = content_pb2.Created(kind=content_pb2.CONVERSATION_KIND_DIRECT, member_ids=[bob.user_id])
    ada.submit(world.direct, content_pb2.Content(created=created))
    await world.bob.reaches(world.direct, 1)

    request = chat_service_pb2.CreateConversationRequest(
        op=new_op(), kind=content_pb2.CONVERSATION_KIND_GROUP, name="Tea", member_ids=[bob.user_id]
    )
    made = await world.api.call(world.api.chat.CreateConversation, request, ada.token)
    again = await world.api.call(world.api.chat.CreateConversation, request, ada.token)
    world.group = made.conversation.id
    assert world.group == group_id(ada.user_id, request.op), "the id of a group is derived from creator and op"
    assert again.conversation.id == world.group and again.existed and not made.existed
    for person in (world.ada, world.bob):
        await person.reaches(world.group, 1)
        await person.client.online()
        assert person.client.store.shown(world.group).name == "Tea"
    for conversation_id in (world.direct, world.group):
        await world.verify(conversation_id)


async def talk(world: World) -> None:
    """both talk on the stream in both conversations"""
    for conversation_id in (world.direct, world.group):
        ops = world.ada.say(conversation_id, "Good morning!", "Is there tea?")
        ops += world.bob.say(conversation_id, "There is: ☕ 茶 شاي")
        for person in (world.ada, world.bob):
            await person.holds(conversation_id, ops)
        await world.verify(conversation_id)


async def slow_network_and_rate_limit(world: World) -> None:
    """a burst above the rate limit, over a slow network, arrives whole and in order"""
    world.ada.proxy.delay = 0.05
    ops = world.ada.say(world.direct, *texts("hurry", 2 * BURST))
    for person in (world.ada, world.bob):
        await person.holds(world.direct, ops)
    world.ada.proxy.delay = 0.0
    await world.verify(world.direct)


async def cut_mid_burst(world: World) -> None:
    """connections cut in the middle of bursts: both resume, nothing is lost, doubled or reordered"""
    ada, bob = world.ada, world.bob
    # Lost on the way to the server; stored, but the answers lost; and cut with nothing lost before.
    for lost in (Way.TO_SERVER, Way.TO_CLIENT, Way(0)):
        before = (ada.client.connections, bob.client.connections)
        ops = ada.say(world.group, *texts(f"{lost}, before", 5))
        await ada.client.until("the first answer", partial(is_answered, ada, ops[0]))
        ada.proxy.swallow(lost)
        unanswered = ada.say(world.group, *texts(f"{lost}, ada", 5))
        ops += unanswered
        if lost == Way.TO_CLIENT:
            await bob.holds(world.group, unanswered)
            assert not any(is_answered(ada, op) for op in unanswered)
        ops += bob.say(world.group, *texts(f"{lost}, bob", 10))
        await ada.proxy.cut()
        await bob.proxy.cut()
        for person in (ada, bob):
            await person.holds(world.group, ops)
        assert ada.client.connections > before[0] and bob.client.connections > before[1], "the cut hit nobody"
        await world.verify(world.group)


async def half_open(world: World) -> None:
    """a connection that hangs is noticed by a Ping without a Pong, and replaced"""
    ada, bob = world.ada, world.bob
    before = ada.client.connections
    ada.proxy.swallow(Way.TO_SERVER | Way.TO_CLIENT)
    ops = ada.say(world.direct, *texts("into the void", 5)) + bob.say(world.direct, *texts("are you there", 5))
    ada.client.network_changed()
    for person in (ada, bob):
        await person.holds(world.direct, ops)
    assert ada.client.connections == before + 1
    await world.verify(world.direct)


async def kill_mid_burst(world: World) -> None:
    """the server is killed in the middle of bursts: what was acked is there, what was not is sent again"""
    ada, bob = world.ada, world.bob
    for round_number in range(1, 4):
        ops = ada.say(world.direct, *texts(f"kill {round_number}, ada", 10))
        await ada.client.until("the first answer", partial(is_answered, ada, ops[0]))
        ops += ada.say(world.direct, *texts(f"kill {round_number}, ada again", 10))
        ops += bob.say(world.direct, *texts(f"kill {round_number}, bob", 10))
        # waits: for a random moment of the burst, so that every run kills at another
        await asyncio.sleep(random.uniform(0, BURST_TAKES))
        await world.server.kill()
        answers = ada.client.record.answers | bob.client.record.answers
        acked = {op: answers[op].appended.seq for op in ops if op in answers and answers[op].HasField("appended")}
        await world.start_again()
        stored = {entry.op: entry.seq for entry in await world.server_log(ada, world.direct)}
        lost = {op for op, seq in acked.items() if stored.get(op) != seq}
        assert not lost, f"G1: acked before the kill and not there after it: {lost}"
        for person in (ada, bob):
            await person.holds(world.direct, ops)
        await world.verify(world.direct)


async def asked_to_stop(world: World) -> None:
    """a server that is asked to stop tells its clients, ends well, and they come back to the next one"""
    ada, bob = world.ada, world.bob
    code = await world.server.stop()
    assert code == 0, f"SIGTERM ended the server with {code}"
    for person in (ada, bob):
        await person.client.until("Goodbye", partial(was_told, person, "DRAINING"))
    ops = ada.say(world.direct, *texts("while nobody listens", 3))
    await world.start_again()
    for person in (ada, bob):
        await person.holds(world.direct, ops)
    await world.verify(world.direct)


async def one_path(world: World) -> None:
    """the same op by unary call and on the stream is one entry, whichever came first"""
    client = world.ada.client
    tablet = Client("ada", world.folder / "tablet", world.ada.address)
    await tablet.login(world.api, PASSWORD)
    for unary_first in (True, False):
        append = log_pb2.Append(
            conversation_id=world.direct,
            op=new_op(),
            base_seq=client.store.held(world.direct).head,
            content=content_pb2.Content(text=content_pb2.Text(body=f"unary first: {unary_first}")),
        )

        async def unary(append: log_pb2.Append = append) -> log_pb2.Appended:
            request = chat_service_pb2.AppendRequest(append=append)
            return (await world.api.call(world.api.chat.Append, request, client.token)).appended

        async def streamed(append: log_pb2.Append = append) -> log_pb2.Appended:
            return (await world.stream_append(tablet.token, append)).appended

        ways = (unary, streamed) if unary_first else (streamed, unary)
        first, second, third = await ways[0](), await ways[1](), await ways[0]()
        assert not first.duplicate and second.duplicate and third.duplicate, "G2: not answered as a duplicate"
        assert first.seq and first.seq == second.seq == third.seq, "G2: one op, two seqs"
        world.ada.sent[world.direct].append(append.op)
    await tablet.close()
    await world.verify(world.direct)


async def phone_put_back(world: World) -> None:
    """a phone restored from an older backup sends its outbox again, and nothing twice"""
    ada = world.ada
    await ada.lose_network()
    ops = ada.say(world.group, *texts("before the backup", 5))
    await ada.client.stop()
    backup = world.folder / "phone-backup"
    shutil.copytree(ada.folder, backup)

    ada.regain_network()
    ada.client.start()
    for person in (ada, world.bob):
        await person.holds(world.group, ops)
    await world.verify(world.group)

    # From here on the phone knows nothing of having sent them.
    await ada.client.close()
    shutil.rmtree(ada.folder)
    shutil.copytree(backup, ada.folder)
    ada.client = Client("ada", ada.folder, ada.address)
    assert [pending.op for pending in ada.client.store.outbox()] == ops
    ada.client.start()
    await ada.holds(world.group, ops)
    for conversation_id in (world.direct, world.group):
        await world.verify(conversation_id)
