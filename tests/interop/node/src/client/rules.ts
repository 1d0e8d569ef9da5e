// The seven rules as a state machine for one stream: frames in, frames out. Its only I/O is the store.
//
// `take` is given what the server sent; `outgoing` says what to send now. One `Rules` lives as long as one stream; what
// outlives the stream is in the store.

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import type { Entry } from "../../gen/parlor/chat/v1/log_pb.js";
import { HelloSchema, type ClientFrameSchema } from "../../gen/parlor/chat/v1/stream_pb.js";
import type { AppendResult, Drain, FetchResult, Goodbye, Hello, Limits } from "../../gen/parlor/chat/v1/stream_pb.js";
import type { ServerFrame, Welcome } from "../../gen/parlor/chat/v1/stream_pb.js";
import type { Problem } from "../../gen/parlor/errors/v1/errors_pb.js";
import { isRetryable, reasonName } from "./api.js";
import type { Live } from "./live.js";
import type { Pending, Store } from "./store.js";

export const PROTOCOL = 1;
const CLIENT_NAME = "parlor-interop-node";
/** Milliseconds before trying again where the server names none. */
const RETRY_AFTER = 1000;

export type Outgoing = MessageInitShape<typeof ClientFrameSchema>;

/** This stream's appends to one conversation. */
interface Lane {
  number: number;
  inFlight: Set<string>;
  /**
   * After a rejection nothing is sent until all that was in flight has been answered: the server rejects it too, and
   * two copies of one op under way could not be told apart.
   */
  draining: boolean;
  notBefore: number;
}

export class Rules {
  welcome: Welcome | undefined;
  synced = false;
  drain: Drain | undefined;
  goodbye: Goodbye | undefined;
  readonly pongs = new Set<bigint>();
  private readonly lanes = new Map<string, Lane>();
  private readonly fetching = new Map<bigint, string>();
  private readonly received = new Map<string, bigint>();
  /** Read marks this stream was told of. */
  private readonly read = new Map<string, number>();
  private said: Outgoing[] = [];
  private fetchNotBefore = 0;
  private requests = 0n;
  private unacked = 0n;

  /** `answers` collects what became of each op, beyond this stream; so does `live` with what is not kept. */
  constructor(
    private readonly store: Store,
    private readonly answers: Map<string, AppendResult>,
    private readonly live: Live,
  ) {}

  /** Sends a frame on this stream, if it lives that long. */
  say(frame: Outgoing): void {
    this.said.push(frame);
  }

  hello(): Hello {
    const cursor = base64Decode(this.store.fact("cursor"));
    const background = !this.live.foreground;
    return create(HelloSchema, { protocol: PROTOCOL, cursor, client: CLIENT_NAME, background });
  }

  // ---- in

  /** Takes one message of the server in, and saves what it changes at once (rule 3). */
  take(batch: bigint, frames: ServerFrame[], now: number): void {
    for (const frame of frames) this.frame(frame.kind, now);
    this.store.commit();
    this.unacked = batch;
  }

  private frame(kind: ServerFrame["kind"], now: number): void {
    switch (kind.case) {
      case "welcome":
        return this.onWelcome(kind.value);
      case "syncConversation":
        if (kind.value.conversation) this.store.show(kind.value.conversation);
        return;
      case "syncDone":
        this.store.remember({ cursor: base64Encode(kind.value.cursor) });
        this.synced = true;
        return;
      case "event":
        if (kind.value.entry) this.onEvent(kind.value.entry);
        return;
      case "head":
        return this.store.hear(kind.value.conversationId, Number(kind.value.head));
      case "checkpoint":
        return this.store.remember({ cursor: base64Encode(kind.value.cursor) });
      case "appendResult":
        return this.onAppendResult(kind.value, now);
      case "fetchResult":
        return this.onFetchResult(kind.value, now);
      case "pong":
        this.pongs.add(kind.value.nonce);
        return;
      case "drain":
        this.drain = kind.value;
        return;
      case "goodbye":
        this.goodbye = kind.value;
        return;
      case "receipts":
        return this.store.receipts(kind.value);
      case "syncPerson":
        if (kind.value.person) this.store.knowPerson(kind.value.person);
        return;
      case "syncPrivacy":
        if (kind.value.privacy) this.store.knowPrivacy(kind.value.privacy);
        return;
      case "typing":
        return this.live.types(kind.value, now);
      case "presenceChanged":
        if (kind.value.presence) this.live.presences.set(kind.value.presence.userId, kind.value.presence);
        return;
      case "preferencesResult":
        this.live.preferences.set(kind.value.requestId, kind.value);
        return;
      case "refused":
        this.live.refused.push(kind.value);
        return;
      case "markRefused":
        throw new Error(`a mark was refused: ${kind.value.conversationId} ${kind.value.seq}`);
      default:
      // Rule 7: a kind added later.
    }
  }

  private onWelcome(welcome: Welcome): void {
    if (this.store.fact("generation") !== welcome.generation) {
      this.store.forget();
      this.store.remember({ generation: welcome.generation });
    }
    this.welcome = welcome;
    this.said = this.live.wishes();
  }

  /** Rule 1: have + 1 is applied, up to have is dropped, above leaves a gap to fetch. */
  private onEvent(entry: Entry): void {
    const { low, have } = this.store.held(entry.conversationId);
    const seq = Number(entry.seq);
    if (seq === have + 1) this.apply(entry, low || seq);
    else if (seq > have) this.store.hear(entry.conversationId, seq);
  }

  private apply(entry: Entry, low: number): void {
    this.store.apply(entry, low);
    this.received.set(entry.conversationId, entry.seq);
    this.live.said(entry.conversationId, entry.senderId);
  }

  private onAppendResult(result: AppendResult, now: number): void {
    const lane = this.lane(result.conversationId);
    lane.inFlight.delete(result.op);
    this.answers.set(result.op, result);
    if (result.outcome.case === "appended") {
      this.store.drop(result.op);
      this.store.hear(result.conversationId, Number(result.outcome.value.seq));
    } else if (result.outcome.case === "problem") {
      const reason = reasonName(result.outcome.value.reason);
      if (reason !== "OUT_OF_ORDER") {
        lane.number = result.lane;
        lane.draining = true;
        this.onRejected(result, reason, result.outcome.value, lane, now);
      }
    }
    lane.draining &&= lane.inFlight.size > 0;
  }

  /** Keeps the append for another time, or gives it up. */
  private onRejected(result: AppendResult, reason: string, problem: Problem, lane: Lane, now: number): void {
    if (reason === "OP_TOO_OLD") {
      const { have, head } = this.store.held(result.conversationId);
      if (have === head) this.store.rebase(result.op, have);
      else lane.notBefore = now + RETRY_AFTER;
    } else if (isRetryable(reason) || reason === "TOO_MANY_IN_FLIGHT") {
      lane.notBefore = now + pause(problem);
    } else {
      this.store.drop(result.op);
    }
  }

  private onFetchResult(result: FetchResult, now: number): void {
    const id = this.fetching.get(result.requestId);
    if (id === undefined) throw new Error(`an answer to no fetch: ${result.requestId}`);
    this.fetching.delete(result.requestId);
    if (result.outcome.case === "problem") return this.onFetchRefused(id, result.outcome.value, now);
    if (result.outcome.case !== "page") return;
    const page = result.outcome.value;
    page.entries.forEach((entry, index) => {
      const { low, have } = this.store.held(id);
      const seq = Number(entry.seq);
      if (seq <= have) return;
      // Only the first entry of a page may skip: what lies before it is not for this reader.
      if (seq > have + 1 && index > 0) throw new Error(`G3: a hole in a page, ${seq} after ${have}`);
      this.apply(entry, seq === have + 1 && low ? low : seq);
    });
    if (page.entries.length === 0 && page.nextSeq === 0n) this.store.settle(id);
    this.store.hear(id, Number(page.head));
  }

  private onFetchRefused(id: string, problem: Problem, now: number): void {
    const reason = reasonName(problem.reason);
    if (reason === "CONVERSATION_NOT_FOUND") this.store.settle(id);
    else if (isRetryable(reason)) this.fetchNotBefore = now + pause(problem);
    else throw new Error(`a fetch was refused: ${reason}: ${problem.message}`);
  }

  // ---- out

  /** What to send now, in order. What it returns counts as sent. */
  outgoing(now: number): Outgoing[] {
    const limits = this.welcome?.limits;
    if (!limits) return [];
    const frames = [...this.appends(limits, now), ...this.fetches(limits, now)];
    for (const [conversationId, seq] of this.received) {
      frames.push({ kind: { case: "received", value: { conversationId, seq } } });
    }
    for (const [conversationId, seq] of this.store.shownMarks()) {
      if (seq <= (this.read.get(conversationId) ?? 0)) continue;
      this.read.set(conversationId, seq);
      frames.push({ kind: { case: "read", value: { conversationId, seq: BigInt(seq) } } });
    }
    frames.push(...this.said.splice(0));
    if (this.unacked) frames.push({ kind: { case: "ack", value: { batch: this.unacked } } });
    this.received.clear();
    this.unacked = 0n;
    return frames;
  }

  /** Rule 2: the outbox in its order, as far as the window and the lanes allow. */
  private *appends(limits: Limits, now: number): Generator<Outgoing> {
    let room = limits.maxAppendsInFlight;
    for (const lane of this.lanes.values()) room -= lane.inFlight.size;
    for (const pending of this.store.outbox()) {
      const lane = this.lane(pending.conversationId);
      if (lane.inFlight.has(pending.op) || lane.draining || now < lane.notBefore) continue;
      if (room-- === 0) return;
      lane.inFlight.add(pending.op);
      yield { kind: { case: "append", value: append(pending, lane.number) } };
    }
  }

  private *fetches(limits: Limits, now: number): Generator<Outgoing> {
    if (now < this.fetchNotBefore) return;
    const underWay = new Set(this.fetching.values());
    for (const conversationId of this.store.incomplete().filter((id) => !underWay.has(id))) {
      if (this.fetching.size >= limits.maxFetchesInFlight) return;
      const requestId = ++this.requests;
      this.fetching.set(requestId, conversationId);
      const fromSeq = BigInt(this.store.held(conversationId).have + 1);
      yield { kind: { case: "fetch", value: { requestId, conversationId, fromSeq } } };
    }
  }

  private lane(conversationId: string): Lane {
    let lane = this.lanes.get(conversationId);
    if (!lane) {
      lane = { number: 0, inFlight: new Set(), draining: false, notBefore: 0 };
      this.lanes.set(conversationId, lane);
    }
    return lane;
  }
}

/** An entry of the outbox as it is sent. */
export function append({ op, conversationId, baseSeq, content }: Pending, lane: number) {
  return { op, conversationId, baseSeq: BigInt(baseSeq), lane, content };
}

/** Milliseconds to wait before the same thing again. */
function pause(problem: Problem): number {
  return problem.retryAfter ? durationMs(problem.retryAfter) : RETRY_AFTER;
}
