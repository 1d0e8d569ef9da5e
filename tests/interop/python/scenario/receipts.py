"""Ticks: who has received and read what."""

from __future__ import annotations

import uuid

from parlor.chat.v1 import chat_service_pb2, people_service_pb2

from parlor_client.client import Client

from .accounts import refused
from .world import World


async def who_has(world: World, client: Client, seq: int) -> chat_service_pb2.GetReceiptsResponse:
    """Who has received and read an entry of the group."""
    request = chat_service_pb2.GetReceiptsRequest(conversation_id=world.group, seq=seq)
    return await world.api.call(world.api.chat.GetReceipts, request, client.token)


async def share(world: World, client: Client, on: bool) -> None:
    """Shares read receipts, or not; returns when the client's own stream says so too."""
    request = people_service_pb2.SetPrivacyRequest(read_receipts=on)
    await world.api.call(world.api.people.SetPrivacy, request, client.token)
    await client.until(f"read receipts: {on}", lambda: client.store.privacy().read_receipts == on)


async def ticks(world: World) -> None:
    """ticks: others' marks come live, those missed come with the row, and GetReceipts names whose they are"""
    ada, bob = world.ada.client, world.bob.client
    ops = world.ada.say(world.group, "Did you get this?", "And this?")
    for person in (world.ada, world.bob):
        await person.holds(world.group, ops)
    first, second = (world.ada.seq_of(world.group, op) for op in ops)

    def has_read(seq: int) -> bool:
        return ada.store.marks(world.group, bob.user_id).read >= seq

    await ada.until("received", lambda: ada.store.marks(world.group, bob.user_id).received >= second)
    assert not has_read(first), "nothing was shown to Bob yet"
    bob.show_up_to(world.group, first)
    await ada.until("read", lambda: has_read(first))
    assert not has_read(second)
    marks = ada.store.marks(world.group, bob.user_id)
    assert marks.HasField("received_at") and marks.HasField("read_at"), "members of one group see the times"

    # Read while Ada is away, before it can be told to a stream of hers.
    await world.ada.lose_network()
    request = chat_service_pb2.MarkReadRequest(conversation_id=world.group, seq=second)
    await world.api.call(world.api.chat.MarkRead, request, bob.token)
    world.ada.regain_network()
    await ada.until("read while away", lambda: has_read(second))

    answer = await who_has(world, ada, second)
    assert (answer.received_count, answer.read_count) == (1, 1), answer
    assert [member.user_id for member in answer.members] == [bob.user_id], answer
    await refused(who_has(world, ada, 10**6), "SEQ_AHEAD")
    await refused(who_has(world, world.eve.client, second), "CONVERSATION_NOT_FOUND")
    nowhere = chat_service_pb2.GetReceiptsRequest(conversation_id=str(uuid.uuid4()), seq=1)
    await refused(world.api.call(world.api.chat.GetReceipts, nowhere, ada.token), "CONVERSATION_NOT_FOUND")


async def unshared(world: World) -> None:
    """whoever does not share read receipts shows none and sees none, also not afterwards"""
    ada, bob = world.ada.client, world.bob.client
    await share(world, bob, False)
    (op,) = world.ada.say(world.group, "Have you read this?")
    await world.bob.holds(world.group, [op])
    await world.ada.holds(world.group, [op])
    seq = world.ada.seq_of(world.group, op)
    request = chat_service_pb2.MarkReadRequest(conversation_id=world.group, seq=seq)
    await world.api.call(world.api.chat.MarkRead, request, bob.token)
    await ada.until("received", lambda: ada.store.marks(world.group, bob.user_id).received >= seq)
    answer = await who_has(world, ada, seq)
    assert (answer.received_count, answer.read_count) == (1, 0), answer
    seen = {member.user_id: member.marks for member in (await world.row(bob, world.group)).members}
    assert seen[ada.user_id].read == 0 and seen[ada.user_id].received, "mutual: who shares none sees none"

    await share(world, bob, True)
    assert (await who_has(world, ada, seq)).read_count == 0, "what was read unshared stays so"
    (op,) = world.ada.say(world.group, "And this?")
    await world.bob.holds(world.group, [op])
    await world.ada.holds(world.group, [op])
    seq = world.ada.seq_of(world.group, op)
    bob.show_up_to(world.group, seq)
    await ada.until("read", lambda: ada.store.marks(world.group, bob.user_id).read >= seq)
