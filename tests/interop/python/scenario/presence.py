"""Who types and who is there: told live, and kept nowhere."""

from __future__ import annotations

import uuid
from functools import partial

import grpc
from parlor.chat.v1 import stream_pb2
from parlor.presence.v1 import presence_pb2, presence_service_pb2

from parlor_client.api import bearer, reason_name
from parlor_client.client import Client

from .accounts import refused
from .world import World

SHOWN = 6.0
"""Seconds a sign of typing is shown."""
MAX_WATCHED = 200


def does(client: Client, conversation_id: str, user_id: str, activity: stream_pb2.Activity) -> bool:
    """Whether this client shows somebody doing this."""
    return client.activity(conversation_id, user_id) == activity


def was_refused(client: Client, frame: str, reason: str) -> bool:
    """Whether a frame of this name was refused with this reason."""
    found = [(refused.frame, reason_name(refused.problem.reason)) for refused in client.record.live.refused]
    return (frame, reason) in found


async def typing(world: World) -> None:
    """typing and recording are shown, also to a stream that opens meanwhile, until a message or a stop"""
    ada, bob = world.ada.client, world.bob.client
    nothing, types = stream_pb2.ACTIVITY_UNSPECIFIED, stream_pb2.ACTIVITY_TYPING
    records = stream_pb2.ACTIVITY_RECORDING
    async with world.second_device(world.bob) as tablet:
        await tablet.stop()
        ada.set_typing(world.direct, types)
        await bob.until("typing", partial(does, bob, world.direct, ada.user_id, types))
        tablet.start()
        await tablet.until("typing", partial(does, tablet, world.direct, ada.user_id, types), SHOWN)
        assert does(bob, world.group, ada.user_id, nothing), "in this conversation and in no other"
        ops = world.ada.say(world.direct, "There.")
        for person in (world.ada, world.bob):
            await person.holds(world.direct, ops)
        assert does(bob, world.direct, ada.user_id, nothing), "a message ends it"

        ada.set_typing(world.group, records)
        await bob.until("recording", partial(does, bob, world.group, ada.user_id, records))
        ada.set_typing(world.group, nothing)
        # Sooner than it would end by itself.
        await bob.until("an end of it", partial(does, bob, world.group, ada.user_id, nothing), SHOWN / 2)
    ada.set_typing(str(uuid.uuid4()), types)
    await ada.until("a refusal", partial(was_refused, ada, "set_typing", "CONVERSATION_NOT_FOUND"))


async def watched(world: World) -> None:
    """presence follows the apps and what their user says; strangers are told nothing"""
    ada, bob, eve = world.ada.client, world.bob.client, world.eve.client

    def shows(text: str, availability: presence_pb2.Availability) -> bool:
        seen = bob.record.live.presences.get(ada.user_id)
        return seen is not None and (seen.availability, seen.text) == (availability, text)

    async def appear(appearance: presence_pb2.Appearance, text: str = "") -> None:
        status = presence_pb2.Status(appearance=appearance, text=text)
        request = presence_service_pb2.SetStatusRequest(status=status)
        await world.api.call(world.api.presence.SetStatus, request, ada.token)

    bob.watch(ada.user_id)
    await bob.until("online", partial(shows, "", presence_pb2.AVAILABILITY_ONLINE))
    ada.set_active(False)
    await bob.until("away", partial(shows, "", presence_pb2.AVAILABILITY_AWAY))
    ada.set_active(True)
    await bob.until("back", partial(shows, "", presence_pb2.AVAILABILITY_ONLINE))
    await appear(presence_pb2.APPEARANCE_DO_NOT_DISTURB, "counting tea leaves")
    await bob.until("busy", partial(shows, "counting tea leaves", presence_pb2.AVAILABILITY_DO_NOT_DISTURB))

    # The watch goes with the stream; the client sets it again on the next.
    before = bob.connections
    bob.record.live.presences.clear()
    await world.bob.proxy.cut()
    await bob.until("another stream", lambda: bob.connections > before)
    await bob.until("busy", partial(shows, "counting tea leaves", presence_pb2.AVAILABILITY_DO_NOT_DISTURB))

    watch = world.api.presence.Watch(
        presence_service_pb2.WatchRequest(user_ids=[ada.user_id]), metadata=bearer(bob.token), timeout=30.0
    )
    async def told() -> presence_pb2.Presence:
        message = await watch.read()
        assert message is not grpc.aio.EOF and len(message.presences) == 1, message
        return message.presences[0]

    assert (await told()).availability == presence_pb2.AVAILABILITY_DO_NOT_DISTURB
    await appear(presence_pb2.APPEARANCE_INVISIBLE)
    assert (await told()).availability == presence_pb2.AVAILABILITY_OFFLINE
    watch.cancel()
    await bob.until("invisible", partial(shows, "", presence_pb2.AVAILABILITY_OFFLINE))
    await appear(presence_pb2.APPEARANCE_ONLINE)
    await bob.until("visible", partial(shows, "", presence_pb2.AVAILABILITY_ONLINE))

    nobody = str(uuid.uuid4())
    request = presence_service_pb2.BatchGetPresenceRequest(user_ids=[ada.user_id, nobody])
    seen = (await world.api.call(world.api.presence.BatchGetPresence, request, eve.token)).presences
    expected = [presence_pb2.Presence(user_id=user_id) for user_id in (ada.user_id, nobody)]
    assert list(seen) == expected, f"G7: a stranger sees {seen}"
    many = [str(uuid.uuid4()) for _ in range(MAX_WATCHED + 1)]
    request = presence_service_pb2.BatchGetPresenceRequest(user_ids=many)
    await refused(world.api.call(world.api.presence.BatchGetPresence, request, eve.token), "FIELD_INVALID")
    bob.watch(*many)
    await bob.until("a refusal", partial(was_refused, bob, "watch", "FIELD_INVALID"))
    bob.watch()
