// What holds just now and is not kept: who types, how those are there whom one watches, and what was refused.

import { durationMs } from "@bufbuild/protobuf/wkt";
import { Activity, type PreferencesResult, type Refused, type Typing } from "../../gen/parlor/chat/v1/stream_pb.js";
import type { Presence } from "../../gen/parlor/presence/v1/presence_pb.js";
import type { Outgoing } from "./rules.js";

/** Of all streams of a client: it is shown until something newer comes or its time is over. */
export class Live {
  readonly presences = new Map<string, Presence>();
  /** Answers to SetPreferences, by request. */
  readonly preferences = new Map<bigint, PreferencesResult>();
  readonly refused: Refused[] = [];
  /** Whether the app is in front. */
  foreground = true;
  private watched: string[] = [];
  private readonly typing = new Map<string, { activity: Activity; until: number }>();

  /** Somebody types, or has stopped. */
  types({ conversationId, userId, activity, expiresAfter }: Typing, now: number): void {
    const until = now + (expiresAfter ? durationMs(expiresAfter) : 0);
    this.typing.set(`${conversationId} ${userId}`, { activity, until });
  }

  /** A message of theirs came: they do not type it any more. */
  said(conversationId: string, userId: string): void {
    this.typing.delete(`${conversationId} ${userId}`);
  }

  /** What somebody does in a conversation. */
  activity(conversationId: string, userId: string, now: number): Activity {
    const typing = this.typing.get(`${conversationId} ${userId}`);
    return typing && now < typing.until ? typing.activity : Activity.UNSPECIFIED;
  }

  /** Watches these and nobody else. */
  watch(userIds: string[]): Outgoing {
    this.watched = userIds;
    for (const user of this.presences.keys()) if (!userIds.includes(user)) this.presences.delete(user);
    return { kind: { case: "watch", value: { userIds } } };
  }

  /** What a new stream must be told: a watch goes with its stream. */
  wishes(): Outgoing[] {
    return this.watched.length > 0 ? [this.watch(this.watched)] : [];
  }
}
