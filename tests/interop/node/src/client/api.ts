// The services over gRPC-Web, and failures with the reason the API promises. Nothing here knows Node: the transport is
// given, from connect-node as well as from connect-web.

import { Code, ConnectError, createClient, type Client, type Transport } from "@connectrpc/connect";
import { AuthService } from "../../gen/parlor/auth/v1/auth_service_pb.js";
import { ChatService } from "../../gen/parlor/chat/v1/chat_service_pb.js";
import { PeopleService } from "../../gen/parlor/chat/v1/people_service_pb.js";
import { PresenceService } from "../../gen/parlor/presence/v1/presence_service_pb.js";
import { ErrorReason } from "../../gen/parlor/errors/v1/errors_pb.js";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.js";

/** Milliseconds for a unary call. */
export const CALL_TIMEOUT = 10_000;

const DOMAIN = "parlor";

// Failures of the way there, not of the request: they come without details.
const TRANSIENT = new Set(["Unavailable", "Unknown", "Canceled", "Aborted", "DeadlineExceeded", "Internal"]);
// Reasons with which the same call may succeed later.
const RETRYABLE = new Set(["UNAVAILABLE", "OVERLOADED", "RATE_LIMITED", "STORAGE_FULL", "INTERNAL"]);

export interface Api {
  readonly auth: Client<typeof AuthService>;
  readonly chat: Client<typeof ChatService>;
  readonly people: Client<typeof PeopleService>;
  readonly presence: Client<typeof PresenceService>;
}

export function api(transport: Transport): Api {
  return {
    auth: createClient(AuthService, transport),
    chat: createClient(ChatService, transport),
    people: createClient(PeopleService, transport),
    presence: createClient(PresenceService, transport),
  };
}

/** The options of a call that say who calls. */
export function as(token: string): { headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${token}` } };
}

/** The reason of a failure from google.rpc.ErrorInfo, or the name of its code where there is none. */
export function reasonOf(error: unknown): string {
  const failure = ConnectError.from(error);
  const info = failure.findDetails(ErrorInfoSchema).find((found) => found.domain === DOMAIN);
  return info?.reason ?? Code[failure.code];
}

/** The name of a reason as ErrorInfo carries it; a number not known here counts as INTERNAL. */
export function reasonName(reason: ErrorReason): string {
  return ErrorReason[reason] ?? "INTERNAL";
}

/** Whether the same call may succeed later. */
export function isTransient(reason: string): boolean {
  return TRANSIENT.has(reason) || isRetryable(reason);
}

/** Whether the server says that the same request may succeed later. */
export function isRetryable(reason: string): boolean {
  return RETRYABLE.has(reason);
}
