// A person's client: an account, a store, and a stream that comes back by itself.

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import type { Credentials } from "../../gen/parlor/auth/v1/auth_service_pb.js";
import { ContentSchema, type Content } from "../../gen/parlor/chat/v1/content_pb.js";
import { PreferenceChangesSchema } from "../../gen/parlor/chat/v1/preferences_pb.js";
import type { Activity, AppendResult, Goodbye, PreferencesResult } from "../../gen/parlor/chat/v1/stream_pb.js";
import { api, isTransient, reasonName, reasonOf, type Api } from "./api.js";
import { Live } from "./live.js";
import { Rules, type Outgoing } from "./rules.js";
import { Store, type Disk } from "./store.js";
import { Stream } from "./stream.js";

/** Milliseconds: the first reconnect comes within this, each further one within twice as much. */
const BACKOFF = 200;
/** Milliseconds: the longest a reconnect waits. */
const BACKOFF_CAP = 2000;
/** Milliseconds to wait for something that must happen. */
const WAIT = 30_000;

export class Client {
  readonly store: Store;
  readonly api: Api;
  readonly answers = new Map<string, AppendResult>();
  readonly live = new Live();
  connections = 0;
  /** Why it stays away: the reason of a Goodbye or of a refusal. */
  ended: string | undefined;
  /** The last is the current one; one before it is there between Drain and the next Welcome. */
  private readonly streams: Stream[] = [];
  private running: Promise<void> | undefined;
  private stopped = false;
  private fault: unknown;
  private requests = 0n;
  private readonly waiting = new Set<() => void>();

  constructor(
    readonly name: string,
    disk: Disk,
    transport: Transport,
  ) {
    this.store = new Store(disk);
    this.api = api(transport);
    if (!this.store.fact("device")) this.store.remember({ device: crypto.randomUUID() });
    this.store.commit();
  }

  // ---- account

  get userId(): string {
    return this.store.fact("user");
  }

  get token(): string {
    return this.store.fact("accessToken");
  }

  private get device() {
    return { deviceId: this.store.fact("device"), name: `${this.name}, Node` };
  }

  async register(password: string): Promise<void> {
    const op = crypto.randomUUID();
    const answer = await this.api.auth.register({ op, username: this.name, password, device: this.device });
    this.keep(answer.credentials);
  }

  async login(password: string): Promise<void> {
    const answer = await this.api.auth.login({ username: this.name, password, device: this.device });
    this.keep(answer.credentials);
  }

  /** Trades the refresh token for a new pair; token and op are saved before the call, for a lost answer. */
  async refresh(): Promise<void> {
    if (!this.store.fact("refreshOp")) this.store.remember({ refreshOp: crypto.randomUUID() });
    this.store.commit();
    const spent = { refreshToken: this.store.fact("refreshToken"), op: this.store.fact("refreshOp") };
    this.keep((await this.api.auth.refresh(spent)).credentials);
  }

  private keep(credentials: Credentials | undefined): void {
    if (!credentials) throw new Error("an answer without credentials");
    const { userId: user, accessToken, refreshToken } = credentials;
    this.store.remember({ user, accessToken, refreshToken, refreshOp: "" });
    this.store.commit();
  }

  // ---- sending

  /** Puts a text into the outbox and returns its op. It goes out as soon as there is a stream. */
  send(conversationId: string, body: string): string {
    return this.submit(conversationId, create(ContentSchema, { kind: { case: "text", value: { body } } }));
  }

  /** Rule 2: op and base_seq are saved with the content, before anything is sent. */
  submit(conversationId: string, content: Content): string {
    const op = crypto.randomUUID();
    this.store.put({ op, conversationId, baseSeq: this.store.held(conversationId).head, content });
    this.store.commit();
    this.stream?.flush();
    return op;
  }

  /** Everything up to `seq` was shown: saved, and told to the server now or with the next stream. */
  showUpTo(conversationId: string, seq: number): void {
    this.store.showUpTo(conversationId, seq);
    this.store.commit();
    this.stream?.flush();
  }

  /** Sends what matters only now: without a stream it is forgotten. */
  private say(frame: Outgoing): void {
    this.stream?.rules.say(frame);
    this.stream?.flush();
  }

  setTyping(conversationId: string, activity: Activity): void {
    this.say({ kind: { case: "setTyping", value: { conversationId, activity } } });
  }

  /** What another does in a conversation. */
  activity(conversationId: string, userId: string): Activity {
    return this.live.activity(conversationId, userId, Date.now());
  }

  /** The app comes to the front or goes behind. */
  setActive(foreground: boolean): void {
    this.live.foreground = foreground;
    this.say({ kind: { case: "setActive", value: { foreground } } });
  }

  /** Whose presence to tell, on this stream and those to come. */
  watch(...userIds: string[]): void {
    this.say(this.live.watch(userIds));
  }

  /** Changes preferences on the stream; the answer. */
  async prefer(
    conversationId: string,
    changes: MessageInitShape<typeof PreferenceChangesSchema>,
  ): Promise<PreferencesResult> {
    const requestId = ++this.requests;
    this.say({ kind: { case: "setPreferences", value: { requestId, conversationId, changes } } });
    await this.until("an answer to SetPreferences", () => this.live.preferences.has(requestId));
    return this.live.preferences.get(requestId)!;
  }

  // ---- the stream

  get stream(): Stream | undefined {
    return this.streams.at(-1);
  }

  /** Connects and stays connected. */
  start(): void {
    this.ended = undefined;
    this.stopped = false;
    this.running = this.stayConnected()
      .catch((fault: unknown) => (this.fault = fault))
      .then(() => this.tell());
  }

  /** Disconnects without a word. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const stream of this.streams) stream.close();
    this.tell();
    await this.running;
    this.streams.length = 0;
  }

  /** Rule 6: asks the server for a sign of life. */
  networkChanged(): void {
    this.stream?.ping();
  }

  /** Waits until something holds; fails with its name if it does not come to hold in time. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const deadline = Date.now() + WAIT;
    while (!condition()) {
      if (this.fault) throw this.fault;
      if (Date.now() > deadline) throw new Error(`${this.name}: not within ${WAIT / 1000} s: ${what}`);
      await this.change(deadline - Date.now());
    }
  }

  /** Waits until the sync is done and everything heard of is held. */
  async online(): Promise<void> {
    await this.until("in sync", () => this.stream?.rules.synced === true && this.store.incomplete().length === 0);
  }

  /** Rule 6: any end is followed by a new stream, unless the server says not to. */
  private async stayConnected(): Promise<void> {
    for (let failures = 0; !this.stopped; ) {
      const rules = new Rules(this.store, this.answers, this.live);
      const stream = new Stream(this.api, this.token, rules, () => this.tell());
      this.streams.push(stream);
      await stream.opened;
      if (stream.rules.welcome) {
        failures = 0;
        this.connections += 1;
        for (const older of this.streams.splice(0, this.streams.length - 1)) older.close();
      }
      await stream.leaving;
      const { drain, goodbye } = stream.rules;
      if (drain) {
        await this.pause(drain.reconnectAfter ? durationMs(drain.reconnectAfter) : 0);
        continue;
      }
      this.streams.pop();
      const reason = await stream.end;
      if (this.stopped || (await this.staysAway(reason, goodbye))) return;
      failures += 1;
      const jitter = Math.random() * Math.min(BACKOFF_CAP, BACKOFF * 2 ** failures);
      await this.pause((goodbye?.after ? durationMs(goodbye.after) : 0) + jitter);
    }
  }

  /** Whether this end was the last. A token that expired is refreshed. */
  private async staysAway(reason: string | undefined, goodbye: Goodbye | undefined): Promise<boolean> {
    let failure = reason;
    if (failure === "TOKEN_EXPIRED") failure = await this.refresh().then(() => undefined, reasonOf);
    if (goodbye) this.ended = goodbye.reconnect ? undefined : `Goodbye ${reasonName(goodbye.reason)}`;
    else if (failure && !isTransient(failure)) this.ended = failure;
    return this.ended !== undefined;
  }

  // ---- waiting

  private tell(): void {
    for (const wake of [...this.waiting]) wake();
  }

  /** Resolves at the next change, or after so many milliseconds. */
  private change(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve();
      };
      // waits: for the next change, and no longer than the deadline of whoever waits
      const timer = setTimeout(wake, milliseconds);
      this.waiting.add(wake);
    });
  }

  private async pause(milliseconds: number): Promise<void> {
    const until = Date.now() + milliseconds;
    while (Date.now() < until && !this.stopped) await this.change(until - Date.now());
  }
}
