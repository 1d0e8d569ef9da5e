"""Accounts and sessions."""

from __future__ import annotations

import time
from collections.abc import Awaitable

from parlor.auth.v1 import auth_service_pb2
from parlor.chat.v1 import stream_pb2

from parlor_client.api import Refusal, new_op, reason_name
from parlor_client.client import Client

from .world import PASSWORD, World

GOODBYE_WITHIN = 1.0
"""Seconds from the end of a session to the end of its stream (G7)."""


async def refused(call: Awaitable[object], reason: str) -> Refusal:
    """The refusal of a call that must fail with this reason."""
    try:
        answer = await call
    except Refusal as refusal:
        assert refusal.reason == reason, f"expected {reason}, got {refusal}"
        assert refusal.details, f"{reason} came without google.rpc details"
        return refusal
    raise AssertionError(f"expected {reason}, got an answer: {answer}")


async def register_and_refuse(world: World) -> None:
    """people register; wrong passwords, taken names and weak passwords get their reasons"""
    op = new_op()
    await world.ada.client.register(world.api, PASSWORD, op)
    first = world.ada.client.user_id
    await world.ada.client.register(world.api, PASSWORD, op)
    assert world.ada.client.user_id == first, "G2: a repeated Register made another account"
    for person in (world.bob, world.eve):
        await person.client.register(world.api, PASSWORD)

    other = Client("ada", world.folder / "other", world.ada.address)
    await refused(other.register(world.api, PASSWORD), "USERNAME_TAKEN")
    wrong = await refused(other.login(world.api, PASSWORD + "?"), "CREDENTIALS_INVALID")
    nobody = Client("nobody", world.folder / "nobody", world.ada.address)
    unknown = await refused(nobody.login(world.api, PASSWORD), "CREDENTIALS_INVALID")
    assert wrong.details == unknown.details, "G7: a wrong password and an unknown user can be told apart"
    await refused(nobody.register(world.api, "password1"), "PASSWORD_WEAK")
    await other.close()
    await nobody.close()


async def refresh(world: World) -> None:
    """a refresh repeated with its op gets the same successor; with another op it ends the session"""
    client = Client("ada", world.folder / "spare", world.ada.address)
    await client.login(world.api, PASSWORD)
    spent = client.store.text("refresh_token")
    request = auth_service_pb2.RefreshRequest(refresh_token=spent, op=new_op())
    first = (await world.api.call(world.api.auth.Refresh, request)).credentials
    again = (await world.api.call(world.api.auth.Refresh, request)).credentials
    assert first.refresh_token == again.refresh_token, "G2: a lost answer to Refresh cost the session"
    assert first.refresh_token != spent and first.session_id == again.session_id

    # The answer was lost on the way, but the app had saved token and op: it carries on by itself.
    with client.store:
        client.store.remember(refresh_op=request.op)
    await client.refresh(world.api)
    assert client.store.text("refresh_token") == first.refresh_token
    await client.refresh(world.api)

    request.op = new_op()
    await refused(world.api.call(world.api.auth.Refresh, request), "REFRESH_REUSED")
    await refused(client.refresh(world.api), "SESSION_ENDED")
    await client.close()


async def logout(world: World) -> None:
    """logging out ends the stream with Goodbye within a second"""
    client = world.bob.client
    await client.online()
    await world.api.call(world.api.auth.Logout, auth_service_pb2.LogoutRequest(), client.token)
    answered = time.monotonic()
    await client.until("Goodbye", lambda: client.ended is not None)
    took = time.monotonic() - answered
    assert isinstance(client.ended, stream_pb2.Goodbye), f"the stream ended without Goodbye: {client.ended}"
    assert reason_name(client.ended.reason) == "SESSION_ENDED" and not client.ended.reconnect, client.ended
    assert took < GOODBYE_WITHIN, f"G7: the stream of an ended session lived for {took:.2f} s"
