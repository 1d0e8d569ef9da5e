// One subscribed stream: carries frames between the server and a `Rules`, and tells how it ended.

import { durationMs } from "@bufbuild/protobuf/wkt";
import type { SubscribeResponse } from "../../gen/parlor/chat/v1/chat_service_pb.js";
import { as, reasonOf, type Api } from "./api.js";
import { Pushes } from "./pushes.js";
import type { Rules } from "./rules.js";

/** Milliseconds after a Ping without a Pong: the stream is dead (rule 6). */
const PONG_TIMEOUT = 10_000;
/** Milliseconds that a Goodbye may come after the server has forgotten the stream. */
const GOODBYE_TIMEOUT = 2000;
/** Milliseconds between looks at what is due: acks, paused lanes, pings. Acks must come every 250 ms. */
const TICK = 100;

export class Stream {
  /** Ends with the stream: how it failed, undefined if the server ended it well. */
  readonly end: Promise<string | undefined>;
  /** Resolved when Welcome has come, and in any case when the stream has ended. */
  readonly opened: Promise<void>;
  /** Resolved when Drain has come, and in any case when the stream has ended. */
  readonly leaving: Promise<void>;
  pushes: Pushes | undefined;
  private readonly abort = new AbortController();
  private isOpened = () => {};
  private isLeaving = () => {};
  private readonly ticker: ReturnType<typeof setInterval>;
  private fault: Error | undefined;
  private reason: string | undefined;
  private nonce = 0n;
  private pingedAt: number | undefined;
  private sentAt = Date.now();

  constructor(
    private readonly api: Api,
    private readonly token: string,
    readonly rules: Rules,
    private readonly changed: () => void,
  ) {
    this.opened = new Promise((resolve) => (this.isOpened = resolve));
    this.leaving = new Promise((resolve) => (this.isLeaving = resolve));
    this.ticker = setInterval(() => this.tick(), TICK);
    this.end = this.run();
  }

  /** Lets the stream go without a word, as a closed tab does. */
  close(): void {
    this.abort.abort();
  }

  /** Asks whether the server is there. */
  ping(): void {
    if (this.pingedAt !== undefined) return;
    this.pingedAt = Date.now();
    this.pushes?.send([{ kind: { case: "ping", value: { nonce: ++this.nonce } } }]);
  }

  /** Sends what there is to send. */
  flush(): void {
    const frames = this.rules.outgoing(Date.now());
    if (frames.length === 0) return;
    this.sentAt = Date.now();
    this.pushes?.send(frames);
  }

  private async run(): Promise<string | undefined> {
    try {
      const options = { ...as(this.token), signal: this.abort.signal };
      const stream = this.api.chat.subscribe({ hello: this.rules.hello() }, options);
      for await (const message of until(this.abort.signal, stream)) this.take(message);
    } catch (error) {
      this.reason ??= reasonOf(error);
    } finally {
      clearInterval(this.ticker);
      this.abort.abort();
      this.isOpened();
      this.isLeaving();
      this.changed();
    }
    if (this.fault) throw this.fault;
    return this.reason;
  }

  private take(message: SubscribeResponse): void {
    try {
      this.rules.take(message.batch, message.frames, Date.now());
    } catch (error) {
      this.fault = error as Error;
      throw error;
    }
    const welcome = this.rules.welcome;
    if (welcome && !this.pushes) {
      const lost = (error: unknown) => void this.onPushLost(reasonOf(error));
      this.pushes = new Pushes(this.api, this.token, welcome.streamId, this.abort.signal, lost);
    }
    if (welcome) this.isOpened();
    if (this.rules.drain) this.isLeaving();
    if (this.rules.pongs.has(this.nonce)) this.pingedAt = undefined;
    this.flush();
    this.changed();
  }

  private tick(): void {
    const interval = this.rules.welcome?.pingInterval;
    if (interval && Date.now() > this.sentAt + durationMs(interval)) this.ping();
    if (this.pingedAt !== undefined && Date.now() > this.pingedAt + PONG_TIMEOUT) return this.lose("Unavailable");
    this.flush();
  }

  /** A push can never arrive. Where the server has ended the stream, its Goodbye may still be on the way. */
  private async onPushLost(reason: string): Promise<void> {
    if (reason !== "STREAM_NOT_FOUND") return this.lose(reason);
    // waits: for the stream to end by itself, or for the time a Goodbye may take
    const patience = setTimeout(() => this.lose("Unavailable"), GOODBYE_TIMEOUT);
    await this.end.catch(() => undefined);
    clearTimeout(patience);
  }

  private lose(reason: string): void {
    this.reason ??= reason;
    this.abort.abort();
  }
}

/**
 * The messages of a stream up to its end or the signal. A transport may leave a read pending for ever when it is
 * aborted (Node's fetch does, once it has forgotten the request), so its word is not waited for.
 */
async function* until<T>(signal: AbortSignal, stream: AsyncIterable<T>): AsyncGenerator<T> {
  const aborted = new Promise<undefined>((resolve) => signal.addEventListener("abort", () => resolve(undefined)));
  const messages = stream[Symbol.asyncIterator]();
  for (;;) {
    const next = messages.next();
    // A failure after the signal is nobody's business.
    next.catch(() => {});
    const result = await Promise.race([next, aborted]);
    if (!result || result.done) return;
    yield result.value;
  }
}
