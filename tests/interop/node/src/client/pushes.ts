// The way from client to server on a subscribed stream: pushes numbered 1, 2, 3, … of which several are under way.
//
// Unary calls overtake each other and get lost; the server restores the order from the numbers. A push that failed on
// its way is sent again with the same number and the same frames.

import { create, toBinary } from "@bufbuild/protobuf";
import { ClientFrameSchema } from "../../gen/parlor/chat/v1/stream_pb.js";
import { as, CALL_TIMEOUT, isTransient, reasonOf, type Api } from "./api.js";
import type { Outgoing } from "./rules.js";

/** Pushes under way at once; the server takes those at most 16 ahead of the first missing. */
const WINDOW = 8;
/** Bytes of frames in one push; the server takes 64 KiB. */
const MAX_PUSH = 60 * 1024;
/** Milliseconds before a failed push is sent again. */
const AGAIN_AFTER = 100;
/** Milliseconds after which a push that still fails is given up, and the stream with it. */
const GIVE_UP_AFTER = 10_000;

export class Pushes {
  private waiting: Outgoing[] = [];
  private underWay = 0;
  private number = 0n;
  resent = 0;

  /** `failed` is told when a push can never arrive: the stream is gone. */
  constructor(
    private readonly api: Api,
    private readonly token: string,
    private readonly streamId: string,
    private readonly ended: AbortSignal,
    private readonly failed: (error: unknown) => void,
  ) {}

  send(frames: Outgoing[]): void {
    this.waiting.push(...frames);
    while (this.waiting.length > 0 && this.underWay < WINDOW) {
      this.underWay += 1;
      void this.push(++this.number, this.next()).then(() => {
        this.underWay -= 1;
        this.send([]);
      }, this.failed);
    }
  }

  /** As many of the waiting frames as one push may hold. */
  private next(): Outgoing[] {
    let bytes = 0;
    const full = this.waiting.findIndex((frame, index) => {
      bytes += toBinary(ClientFrameSchema, create(ClientFrameSchema, frame)).length;
      return index > 0 && bytes > MAX_PUSH;
    });
    return this.waiting.splice(0, full < 0 ? this.waiting.length : full);
  }

  private async push(number: bigint, frames: Outgoing[]): Promise<void> {
    for (const giveUpAt = Date.now() + GIVE_UP_AFTER; ; ) {
      try {
        const options = { ...as(this.token), timeoutMs: CALL_TIMEOUT, signal: this.ended };
        await this.api.chat.push({ streamId: this.streamId, number, frames }, options);
        return;
      } catch (error) {
        if (this.ended.aborted) return;
        const mayPass = isTransient(reasonOf(error)) || reasonOf(error) === "PUSH_AHEAD";
        if (!mayPass || Date.now() > giveUpAt) throw error;
        this.resent += 1;
        // waits: a pause before the same push again
        await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER));
      }
    }
  }
}
