// What a client keeps: who it is, what it holds of each conversation, and what it still has to send.
//
// `commit` saves everything at once, so what changed between two commits is saved together: rules 2 and 3 are about
// that. Where it is saved is a `Disk`: a file here, IndexedDB in a browser.

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { ConversationSchema, EntrySchema } from "../../gen/parlor/chat/v1/log_pb.js";
import type { Conversation, Entry } from "../../gen/parlor/chat/v1/log_pb.js";
import { ContentSchema, type Content } from "../../gen/parlor/chat/v1/content_pb.js";

/** Keeps one text: all of it or none of it. */
export interface Disk {
  load(): string | undefined;
  save(text: string): void;
}

/** An append that is not acked. */
export interface Pending {
  readonly op: string;
  readonly conversationId: string;
  readonly baseSeq: number;
  readonly content: Content;
}

/** Every readable entry of [low, have] is held; `head` is the highest heard of. */
export interface Held {
  readonly low: number;
  readonly have: number;
  readonly head: number;
}

interface Kept {
  low: number;
  have: number;
  head: number;
  shown: string;
  /** Entries by seq, as base64. */
  entries: Record<number, string>;
}

interface State {
  facts: Record<string, string>;
  conversations: Record<string, Kept>;
  outbox: { op: string; conversationId: string; baseSeq: number; content: string }[];
}

export type Fact = "device" | "user" | "accessToken" | "refreshToken" | "refreshOp" | "cursor" | "generation";

export class Store {
  private readonly state: State;

  constructor(private readonly disk: Disk) {
    const saved = disk.load();
    this.state = saved ? (JSON.parse(saved) as State) : { facts: {}, conversations: {}, outbox: [] };
  }

  /** Saves everything that changed since the last commit. */
  commit(): void {
    this.disk.save(JSON.stringify(this.state));
  }

  fact(name: Fact): string {
    return this.state.facts[name] ?? "";
  }

  remember(facts: Partial<Record<Fact, string>>): void {
    Object.assign(this.state.facts, facts);
  }

  // ---- conversations

  held(id: string): Held {
    const { low, have, head } = this.state.conversations[id] ?? { low: 0, have: 0, head: 0 };
    return { low, have, head };
  }

  /** The conversations of which more was heard than is held. */
  incomplete(): string[] {
    return Object.entries(this.state.conversations)
      .filter(([, kept]) => kept.have < kept.head)
      .map(([id]) => id);
  }

  conversations(): string[] {
    return Object.keys(this.state.conversations).sort();
  }

  /** Keeps a row of the chat list in place of the one there was. */
  show(row: Conversation): void {
    this.kept(row.id).shown = base64Encode(toBinary(ConversationSchema, row));
    this.hear(row.id, Number(row.head));
  }

  shown(id: string): Conversation {
    return fromBinary(ConversationSchema, base64Decode(this.kept(id).shown));
  }

  /** Notes that the conversation reaches at least to `seq`. */
  hear(id: string, seq: number): void {
    const kept = this.kept(id);
    kept.head = Math.max(kept.head, seq);
  }

  /** Takes what is held for all there is to read. */
  settle(id: string): void {
    const kept = this.kept(id);
    kept.head = kept.have;
  }

  /** Keeps the next entry. It is dropped from the outbox if it came from there. */
  apply(entry: Entry, low: number): void {
    const kept = this.kept(entry.conversationId);
    kept.low = low;
    kept.have = Number(entry.seq);
    kept.head = Math.max(kept.head, kept.have);
    kept.entries[kept.have] = base64Encode(toBinary(EntrySchema, entry));
    if (entry.senderId === this.fact("user")) this.drop(entry.op);
  }

  /** All entries held, lowest first. */
  log(id: string): Entry[] {
    const entries = Object.entries(this.state.conversations[id]?.entries ?? {});
    entries.sort(([one], [other]) => Number(one) - Number(other));
    return entries.map(([, encoded]) => fromBinary(EntrySchema, base64Decode(encoded)));
  }

  /** Rule 5: forgets cursor, ranges and entries, and keeps the outbox with base_seq 0. */
  forget(): void {
    this.remember({ cursor: "" });
    this.state.conversations = {};
    for (const pending of this.state.outbox) pending.baseSeq = 0;
  }

  private kept(id: string): Kept {
    return (this.state.conversations[id] ??= { low: 0, have: 0, head: 0, shown: "", entries: {} });
  }

  // ---- outbox

  put(pending: Pending): void {
    const content = base64Encode(toBinary(ContentSchema, pending.content));
    this.state.outbox.push({ ...pending, content });
  }

  /** What is not acked, in the order it was made. */
  outbox(): Pending[] {
    const decode = (content: string) => fromBinary(ContentSchema, base64Decode(content));
    return this.state.outbox.map((pending) => ({ ...pending, content: decode(pending.content) }));
  }

  /** Moves base_seq up to where the op was looked for and not found (OP_TOO_OLD). */
  rebase(op: string, baseSeq: number): void {
    for (const pending of this.state.outbox) if (pending.op === op) pending.baseSeq = baseSeq;
  }

  drop(op: string): void {
    this.state.outbox = this.state.outbox.filter((pending) => pending.op !== op);
  }
}
