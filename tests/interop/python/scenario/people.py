"""Contacts, blocks, and finding people by their e-mail address."""

from __future__ import annotations

import asyncio
import uuid
from functools import partial
from pathlib import Path

from parlor.auth.v1 import email_service_pb2
from parlor.chat.v1 import chat_service_pb2, content_pb2, people_pb2, people_service_pb2
from parlor.presence.v1 import presence_pb2, presence_service_pb2

from parlor_client.api import new_op
from parlor_client.client import Client

from .accounts import refused
from .world import World

BEFORE_CODE = "Your code is "
CODE_DIGITS = 8
MAIL_WITHIN = 10.0
"""Seconds until a mail is in the folder."""


def relates(client: Client, other: Client, relation: people_pb2.Relation) -> bool:
    """Whether this client was told that this is what there is between the two."""
    return client.store.person(other.user_id).relation == relation


async def contacts(world: World) -> None:
    """a request, its note and its acceptance come to both; two requests that cross make a contact"""
    bob, eve, people = world.bob.client, world.eve.client, world.api.people
    eve.start()
    await eve.online()
    note = "We met at the tea house."
    request = people_service_pb2.RequestContactRequest(user_id=bob.user_id, note=note)
    asked = (await world.api.call(people.RequestContact, request, eve.token)).person
    assert asked.relation == people_pb2.RELATION_REQUESTED, asked
    await bob.until("a request", partial(relates, bob, eve, people_pb2.RELATION_REQUEST_RECEIVED))
    assert bob.store.person(eve.user_id).note == note

    accept = people_service_pb2.AcceptContactRequest(user_id=eve.user_id)
    await world.api.call(people.AcceptContact, accept, bob.token)
    for one, other in ((bob, eve), (eve, bob)):
        await one.until("a contact", partial(relates, one, other, people_pb2.RELATION_CONTACT))
    again = (await world.api.call(people.AcceptContact, accept, bob.token)).person
    assert again.relation == people_pb2.RELATION_CONTACT, f"a retry: {again}"
    unasked = people_service_pb2.AcceptContactRequest(user_id=world.ada.client.user_id)
    await refused(world.api.call(people.AcceptContact, unasked, bob.token), "REQUEST_NOT_FOUND")

    await world.api.call(people.RemoveContact, people_service_pb2.RemoveContactRequest(user_id=bob.user_id), eve.token)
    for one, other in ((bob, eve), (eve, bob)):
        await one.until("nothing", partial(relates, one, other, people_pb2.RELATION_UNSPECIFIED))
    for one, other in ((bob, eve), (eve, bob)):
        request = people_service_pb2.RequestContactRequest(user_id=other.user_id)
        crossed = (await world.api.call(people.RequestContact, request, one.token)).person
    assert crossed.relation == people_pb2.RELATION_CONTACT, crossed
    nobody = people_service_pb2.RequestContactRequest(user_id=str(uuid.uuid4()))
    await refused(world.api.call(people.RequestContact, nobody, eve.token), "USER_NOT_FOUND")


async def blocks(world: World) -> None:
    """whoever is blocked is not told: what they say is withheld, and they can neither begin a conversation nor see"""
    ada, bob, eve = world.ada.client, world.bob.client, world.eve.client
    group = chat_service_pb2.CreateConversationRequest(
        op=new_op(), kind=content_pb2.CONVERSATION_KIND_GROUP, name="Three", member_ids=[bob.user_id, eve.user_id]
    )
    made = await world.api.call(world.api.chat.CreateConversation, group, ada.token)
    three = made.conversation.id
    for person in (world.ada, world.bob, world.eve):
        await person.reaches(three, 1)

    block = people_service_pb2.BlockUserRequest(user_id=eve.user_id)
    assert (await world.api.call(world.api.people.BlockUser, block, bob.token)).person.blocked
    await bob.until("blocked", lambda: bob.store.person(eve.user_id).blocked)
    await eve.until("no contact", partial(relates, eve, bob, people_pb2.RELATION_UNSPECIFIED))

    ops = world.eve.say(three, "Hello, Bob?")
    ops += world.ada.say(three, "Who is talking?")
    for person in (world.ada, world.bob, world.eve):
        await person.holds(three, ops)
    hello = {name: entry_of(client, three, ops[0]) for name, client in (("ada", ada), ("bob", bob), ("eve", eve))}
    assert hello["ada"].text.body == hello["eve"].text.body == "Hello, Bob?"
    assert hello["bob"].withheld.reason == content_pb2.WITHHELD_REASON_SENDER_BLOCKED, hello["bob"]
    row = await world.row(bob, three)
    assert row.unread == 1, f"what is withheld is not unread: {row}"

    direct = chat_service_pb2.CreateConversationRequest(
        op=new_op(), kind=content_pb2.CONVERSATION_KIND_DIRECT, member_ids=[bob.user_id]
    )
    create = world.api.chat.CreateConversation
    await refused(world.api.call(create, direct, eve.token), "PERSON_NOT_ACCEPTING")
    look = presence_service_pb2.BatchGetPresenceRequest(user_ids=[bob.user_id])
    seen = (await world.api.call(world.api.presence.BatchGetPresence, look, eve.token)).presences
    assert list(seen) == [presence_pb2.Presence(user_id=bob.user_id)], f"G7: who is blocked sees {seen}"

    unblock = people_service_pb2.UnblockUserRequest(user_id=eve.user_id)
    await world.api.call(world.api.people.UnblockUser, unblock, bob.token)
    ops = world.eve.say(three, "And now?")
    for person in (world.bob, world.eve):
        await person.holds(three, ops)
    assert entry_of(bob, three, ops[0]).text.body == "And now?"
    assert (await world.row(bob, three)).last_message.op == ops[0]
    await eve.stop()


def entry_of(client: Client, conversation_id: str, op: str) -> content_pb2.Content:
    """What an entry says to whoever runs this client."""
    return next(entry.content for entry in client.store.log(conversation_id) if entry.op == op)


async def emails(world: World) -> None:
    """an address is proved by the code from its mail, and finds its owner only if they allow it"""
    ada, bob, emails = world.ada.client, world.bob.client, world.api.emails

    async def find(address: str) -> str:
        request = email_service_pb2.FindByEmailRequest(address=address)
        return (await world.api.call(emails.FindByEmail, request, bob.token)).profile.user_id

    waiting = await world.api.call(
        emails.SetEmail, email_service_pb2.SetEmailRequest(address="Ada@example.org"), ada.token
    )
    assert (waiting.email.address, waiting.email.unproved_address) == ("", "Ada@example.org"), waiting
    mail = await next_mail(world.server.mails)
    code = mail.partition(BEFORE_CODE)[2][:CODE_DIGITS]
    wrong = email_service_pb2.ConfirmEmailRequest(code=f"{(int(code) + 1) % 10**CODE_DIGITS:0{CODE_DIGITS}}")
    await refused(world.api.call(emails.ConfirmEmail, wrong, ada.token), "CODE_INVALID")
    right = email_service_pb2.ConfirmEmailRequest(code=code)
    proved = (await world.api.call(emails.ConfirmEmail, right, ada.token)).email
    assert (proved.address, proved.discoverable) == ("Ada@example.org", False), proved

    hidden = await refused(find("ada@example.org"), "USER_NOT_FOUND")
    unknown = await refused(find("nobody@example.org"), "USER_NOT_FOUND")
    assert hidden.details == unknown.details, "G7: who may not be found can be told from nobody"
    allow = email_service_pb2.SetEmailDiscoverableRequest(discoverable=True)
    await world.api.call(emails.SetEmailDiscoverable, allow, ada.token)
    assert await find("ADA@EXAMPLE.ORG") == ada.user_id
    await refused(find("ada at example.org"), "FIELD_INVALID")


async def next_mail(folder: Path) -> str:
    """The first mail in the folder, once it is there."""
    async with asyncio.timeout(MAIL_WITHIN):
        while not (mails := list(folder.glob("*.eml"))):
            # waits: for the next look at the folder
            await asyncio.sleep(0.01)
    return mails[0].read_text()
