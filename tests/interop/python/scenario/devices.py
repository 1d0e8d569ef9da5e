"""Two devices of one person agree on what is unread, and on how each conversation is wanted."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp
from parlor.chat.v1 import chat_service_pb2, content_pb2, log_pb2, preferences_pb2

from parlor_client.api import new_op, reason_name

from .world import World

FAR = Timestamp(seconds=253_370_764_800)
"""The year 9999: for ever."""


async def unread(world: World) -> None:
    """unread, mentions and badge on two devices: what one reads the other shows as read, also after being away"""
    phone, chat = world.ada.client, world.api.chat
    async with world.second_device(world.ada) as tablet:
        head = phone.store.held(world.direct).head
        phone.show_up_to(world.direct, head)
        await tablet.until("read up to the head", lambda: tablet.store.shown(world.direct).marks.read == head)
        badge = await world.api.call(chat.GetBadge, chat_service_pb2.GetBadgeRequest(), phone.token)

        ops = world.bob.say(world.direct, "One.", "Two.")
        await world.bob.holds(world.direct, ops)
        three = log_pb2.Append(
            conversation_id=world.direct,
            op=new_op(),
            base_seq=world.bob.client.store.held(world.direct).head,
            mention_ids=[phone.user_id],
            content=content_pb2.Content(text=content_pb2.Text(body="Three, Ada!")),
        )
        request = chat_service_pb2.AppendRequest(append=three)
        seq = (await world.api.call(chat.Append, request, world.bob.client.token)).appended.seq
        world.bob.sent[world.direct].append(three.op)
        await world.ada.reaches(world.direct, seq)
        row = await world.row(tablet, world.direct)
        assert (row.unread, row.unread_mentions) == (3, 1), row
        now = await world.api.call(chat.GetBadge, chat_service_pb2.GetBadgeRequest(), tablet.token)
        assert now.unread == badge.unread + 3 and now.unread_mentions == badge.unread_mentions + 1, (badge, now)

        phone.show_up_to(world.direct, seq)
        await tablet.until("read on the phone", lambda: tablet.store.shown(world.direct).marks.read == seq)
        row = tablet.store.shown(world.direct)
        assert (row.unread, row.unread_mentions) == (0, 0), row
        again = await world.api.call(chat.GetBadge, chat_service_pb2.GetBadgeRequest(), tablet.token)
        assert again == badge, (badge, again)

        await tablet.stop()
        ops = world.bob.say(world.direct, "Four.")
        await world.ada.holds(world.direct, ops)
        ops += world.ada.say(world.direct, "Whoever answers has read.")
        for person in (world.ada, world.bob):
            await person.holds(world.direct, ops)
        tablet.start()
        await tablet.online()
        row = tablet.store.shown(world.direct)
        assert row.unread == 0 and row.marks.read == world.ada.seq_of(world.direct, ops[-1]), row
    await world.verify(world.direct)


async def preferences(world: World) -> None:
    """mute, pin, draft, name, archive and marked unread: set on one device, the same on the other"""
    phone = world.ada.client
    async with world.second_device(world.ada) as tablet:

        def wanted() -> preferences_pb2.Preferences:
            return tablet.store.shown(world.group).preferences

        async def archived(device: str, state: bool) -> None:
            client = tablet if device == "tablet" else phone
            shown = client.store.shown
            await client.until(f"archived: {state}", lambda: shown(world.group).preferences.archived == state)

        draft = preferences_pb2.Draft(text="Dear Bob,", reply_to=1)
        changes = preferences_pb2.PreferenceChanges(muted_until=FAR, pinned=True, custom_name="Tea!", draft=draft)
        result = await phone.prefer(world.group, changes)
        assert result.preferences.draft == "Dear Bob," and result.preferences.HasField("pinned_at"), result
        await tablet.until("the phone's preferences", lambda: wanted() == result.preferences)

        request = chat_service_pb2.SetPreferencesRequest(
            conversation_id=world.group, changes=preferences_pb2.PreferenceChanges(archived=True)
        )
        await world.api.call(world.api.chat.SetPreferences, request, tablet.token)
        await archived("phone", True)
        ops = world.bob.say(world.group, "Into the archive.")
        await world.ada.holds(world.group, ops)
        row = await world.row(phone, world.group)
        assert row.preferences.archived, "what is muted stays in the archive"
        assert row.preferences.custom_name == "Tea!", "absent changes change nothing"

        unmuted = preferences_pb2.PreferenceChanges(muted_until=Timestamp(), pinned=False, marked_unread=True)
        result = await phone.prefer(world.group, unmuted)
        assert not result.preferences.HasField("muted_until") and result.preferences.marked_unread, result
        ops = world.bob.say(world.group, "Out of the archive.")
        await world.ada.holds(world.group, ops)
        for device in ("phone", "tablet"):
            await archived(device, False)
        phone.show_up_to(world.group, phone.store.held(world.group).head)
        await tablet.until("no longer marked unread", lambda: not wanted().marked_unread)

        too_long = preferences_pb2.PreferenceChanges(custom_name="x" * 101)
        result = await phone.prefer(world.group, too_long)
        assert reason_name(result.problem.reason) == "FIELD_INVALID", result
        result = await phone.prefer(new_op(), preferences_pb2.PreferenceChanges(pinned=True))
        assert reason_name(result.problem.reason) == "CONVERSATION_NOT_FOUND", result
    await world.verify(world.group)
