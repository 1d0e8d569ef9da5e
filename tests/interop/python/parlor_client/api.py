"""Unary calls: stubs on one channel, and failures as `Refusal` in place of gRPC's errors."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from parlor.auth.v1 import auth_service_pb2_grpc, email_service_pb2_grpc, profile_service_pb2_grpc
from parlor.chat.v1 import chat_service_pb2_grpc, people_service_pb2_grpc
from parlor.errors.v1 import errors_pb2
from parlor.presence.v1 import presence_service_pb2_grpc

CALL_TIMEOUT = 10.0
"""Seconds for a unary call."""

DOMAIN = "parlor"

CHANNEL_OPTIONS = [
    # A channel of its own really is a connection of its own: grpcio shares them otherwise.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]

# Failures of the way there, not of the request. The first three come from gRPC itself, without details: a server that
# is away, a keepalive that cut the connection, a call that raced the end of it.
TRANSIENT = {"UNAVAILABLE", "UNKNOWN", "CANCELLED", "DEADLINE_EXCEEDED", "RATE_LIMITED", "OVERLOADED", "INTERNAL"}


@dataclass
class Refusal(Exception):
    """A failed call: the reason from google.rpc.ErrorInfo, or the gRPC code's name where there is none."""

    reason: str
    code: grpc.StatusCode
    message: str
    details: bytes
    retry_after: float | None = None

    def __str__(self) -> str:
        return f"{self.reason} ({self.code.name}): {self.message}"

    def is_transient(self) -> bool:
        """Whether the same call may succeed later."""
        return self.reason in TRANSIENT or self.retry_after is not None


def refusal(error: grpc.aio.AioRpcError) -> Refusal:
    """Reads the details out of a gRPC error."""
    code = error.code()
    status = rpc_status.from_call(cast(grpc.Call, error))
    if status is None:
        return Refusal(code.name, code, error.details() or "", b"")
    reason, retry_after = code.name, None
    for detail in status.details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            detail.Unpack(info)
            if info.domain == DOMAIN:
                reason = info.reason
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            detail.Unpack(retry)
            retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    return Refusal(reason, code, status.message, status.SerializeToString(), retry_after)


def reason_name(number: int) -> str:
    """The name of a reason as ErrorInfo carries it; a number not known here counts as INTERNAL."""
    if number not in errors_pb2.ErrorReason.values():
        return "INTERNAL"
    return errors_pb2.ErrorReason.Name(number).removeprefix("ERROR_REASON_")


def new_op() -> str:
    """A fresh op."""
    return str(uuid.uuid4())


class Api:
    """The public services at one address."""

    def __init__(self, address: str) -> None:
        self.channel = grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)
        self.auth = auth_service_pb2_grpc.AuthServiceStub(self.channel)
        self.profiles = profile_service_pb2_grpc.ProfileServiceStub(self.channel)
        self.emails = email_service_pb2_grpc.EmailServiceStub(self.channel)
        self.chat = chat_service_pb2_grpc.ChatServiceStub(self.channel)
        self.people = people_service_pb2_grpc.PeopleServiceStub(self.channel)
        self.presence = presence_service_pb2_grpc.PresenceServiceStub(self.channel)

    async def call(self, method: Callable[..., Any], request: Any, token: str | None = None) -> Any:
        """Calls one method. Raises `Refusal`."""
        try:
            return await method(request, metadata=bearer(token), timeout=CALL_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            raise refusal(error) from None

    async def close(self) -> None:
        """Closes the channel and with it every call on it."""
        await self.channel.close()


def bearer(token: str | None) -> tuple[tuple[str, str], ...]:
    """The metadata that says who calls."""
    return () if token is None else (("authorization", f"Bearer {token}"),)
