// What a client keeps: who it is, what it holds of each conversation, and what it still has to send.
//
// `commit` saves everything at once, so what changed between two commits is saved together: rules 2 and 3 are about
// that. Where it is saved is a `Disk`: a file here, IndexedDB in a browser.

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { ConversationSchema, EntrySchema, MarksSchema } from "../../gen/parlor/chat/v1/log_pb.js";
import type { Conversation, Entry, Marks } from "../../gen/parlor/chat/v1/log_pb.js";
import { ContentSchema, type Content } from "../../gen/parlor/chat/v1/content_pb.js";
import { PersonSchema, PrivacySchema, type Person, type Privacy } from "../../gen/parlor/chat/v1/people_pb.js";
import type { Receipts } from "../../gen/parlor/chat/v1/stream_pb.js";

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
  /** The highest seq shown to the user, sent until the row says that the server has it. */
  read: number;
  /** Entries by seq, as base64. */
  entries: Record<number, string>;
}

interface State {
  facts: Record<string, string>;
  conversations: Record<string, Kept>;
  /** Base64, by user. */
  people: Record<string, string>;
  outbox: { op: string; conversationId: string; baseSeq: number; content: string }[];
}

export type Fact =
  | "device"
  | "user"
  | "accessToken"
  | "refreshToken"
  | "refreshOp"
  | "cursor"
  | "generation"
  | "privacy";

export class Store {
  private readonly state: State;

  constructor(private readonly disk: Disk) {
    const saved = disk.load();
    this.state = saved ? (JSON.parse(saved) as State) : { facts: {}, conversations: {}, people: {}, outbox: [] };
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

  /** Raises the marks of others in the row: they only grow. */
  receipts({ conversationId, members }: Receipts): void {
    const row = this.shown(conversationId);
    for (const { userId, marks: heard } of members) {
      const member = row.members.find((known) => known.userId === userId);
      if (!member || !heard) continue;
      const marks = (member.marks ??= create(MarksSchema));
      if (heard.received > marks.received) [marks.received, marks.receivedAt] = [heard.received, heard.receivedAt];
      if (heard.read > marks.read) [marks.read, marks.readAt] = [heard.read, heard.readAt];
    }
    this.kept(conversationId).shown = base64Encode(toBinary(ConversationSchema, row));
  }

  /** How far a member is, as far as this client was told. */
  marks(id: string, userId: string): Marks {
    return this.shown(id).members.find((member) => member.userId === userId)?.marks ?? create(MarksSchema);
  }

  /** Everything up to `seq` was shown to the user (rule 4). */
  showUpTo(id: string, seq: number): void {
    const kept = this.kept(id);
    kept.read = Math.max(kept.read, seq);
  }

  /** Read marks of which no row says that the server has them. */
  shownMarks(): [string, number][] {
    return Object.entries(this.state.conversations)
      .filter(([id, kept]) => kept.read > 0 && kept.read > Number(this.shown(id).marks?.read ?? 0n))
      .map(([id, kept]) => [id, kept.read]);
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

  // ---- people

  knowPerson(person: Person): void {
    this.state.people[person.userId] = base64Encode(toBinary(PersonSchema, person));
  }

  /** What there is between the user and another. */
  person(userId: string): Person {
    return fromBinary(PersonSchema, base64Decode(this.state.people[userId] ?? ""));
  }

  knowPrivacy(privacy: Privacy): void {
    this.remember({ privacy: base64Encode(toBinary(PrivacySchema, privacy)) });
  }

  /** The user's privacy settings. */
  privacy(): Privacy {
    return fromBinary(PrivacySchema, base64Decode(this.fact("privacy")));
  }

  // ---- another generation

  /** Rule 5: forgets cursor, ranges, entries and people; keeps the outbox with base_seq 0. */
  forget(): void {
    this.remember({ cursor: "" });
    this.state.conversations = {};
    this.state.people = {};
    for (const pending of this.state.outbox) pending.baseSeq = 0;
  }

  private kept(id: string): Kept {
    return (this.state.conversations[id] ??= { low: 0, have: 0, head: 0, shown: "", read: 0, entries: {} });
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
