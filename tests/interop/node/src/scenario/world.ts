// The people, the server and the network of the scenario, and the checks that hold after every step.

import assert from "node:assert/strict";
import path from "node:path";
import { toJson } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { createGrpcWebTransport as overNode } from "@connectrpc/connect-node";
import { createGrpcWebTransport as overFetch } from "@connectrpc/connect-web";
import { EntrySchema, type Entry } from "../../gen/parlor/chat/v1/log_pb.js";
import { as } from "../client/api.js";
import { Client } from "../client/client.js";
import type { Disk } from "../client/store.js";
import { file } from "../harness/file.js";
import { Flaky } from "../harness/flaky.js";
import { Proxy } from "../harness/proxy.js";
import { Server } from "../harness/server.js";

export const PASSWORD = "two left feet on a wet roof";

/** Somebody with a client, and a network of their own. */
export class Person {
  /** Every op sent, by conversation, in the order of sending. */
  readonly sent = new Map<string, string[]>();
  readonly client: Client;
  private readonly second: Disk;

  constructor(
    name: string,
    folder: string,
    readonly proxy: Proxy,
    private readonly transport: Transport,
  ) {
    this.client = new Client(name, file(path.join(folder, name, "client.json")), transport);
    this.second = file(path.join(folder, name, "second.json"));
  }

  /** Plays something with another device of this person, which is online, and logs out at the end. */
  async withSecondDevice(play: (device: Client) => Promise<void>): Promise<void> {
    const device = new Client(this.client.name, this.second, this.transport);
    await device.login(PASSWORD);
    device.start();
    await device.online();
    await play(device);
    await device.api.auth.logout({}, as(device.token));
    // A stream that is lost counts as there for a while: this one has to be ended.
    await device.until("Goodbye", () => device.ended !== undefined);
    await device.stop();
  }

  /** The seq of an entry this person holds. */
  seqOf(conversationId: string, op: string): number {
    return Number(this.client.store.log(conversationId).find((entry) => entry.op === op)?.seq);
  }

  /** Puts texts into the outbox; their ops. */
  say(conversationId: string, ...bodies: string[]): string[] {
    const ops = bodies.map((body) => this.client.send(conversationId, body));
    this.sent.set(conversationId, [...(this.sent.get(conversationId) ?? []), ...ops]);
    return ops;
  }

  /** Waits until every op is in this person's log, and nothing is left to send. */
  async holds(conversationId: string, ops: string[]): Promise<void> {
    const { store } = this.client;
    await this.client.until(`${ops.length} messages in the log, outbox empty`, () => {
      const held = new Set(store.log(conversationId).map((entry) => entry.op));
      return store.outbox().length === 0 && ops.every((op) => held.has(op));
    });
  }

  async reaches(conversationId: string, seq: number): Promise<void> {
    const reached = () => this.client.store.held(conversationId).have >= seq;
    await this.client.until(`the log up to ${seq}`, reached);
  }
}

export class World {
  direct = "";
  group = "";

  private constructor(
    readonly server: Server,
    readonly ada: Person,
    readonly bob: Person,
    /** Between Ada and the server. */
    readonly flaky: Flaky,
  ) {}

  /** Starts a server, and gives each a client: Ada's over Node's HTTP, Bob's over fetch as in a browser. */
  static async begin(folder: string): Promise<World> {
    const server = new Server(path.join(folder, "data"));
    await server.start();
    const [one, other] = [await Proxy.start(() => server.address), await Proxy.start(() => server.address)];
    const flaky = new Flaky();
    const interceptors = [flaky.interceptor];
    const ada = new Person("ada", folder, one, overNode({ baseUrl: one.url, httpVersion: "1.1", interceptors }));
    const bob = new Person("bob", folder, other, overFetch({ baseUrl: other.url }));
    return new World(server, ada, bob, flaky);
  }

  get people(): Person[] {
    return [this.ada, this.bob];
  }

  async end(): Promise<void> {
    for (const person of this.people) {
      await person.client.stop();
      person.proxy.stop();
    }
    await this.server.kill();
  }

  /** The whole log, by unary calls. */
  async serverLog(conversationId: string): Promise<Entry[]> {
    const { api, token } = this.ada.client;
    const entries: Entry[] = [];
    for (let fromSeq = 1n; fromSeq !== 0n; ) {
      const { page } = await api.chat.fetch({ conversationId, fromSeq }, as(token));
      entries.push(...page!.entries);
      fromSeq = page!.nextSeq;
    }
    return entries;
  }

  /** G2 to G5: both hold the server's log, without a hole, each op once and in its sender's order. */
  async verify(conversationId: string): Promise<void> {
    const truth = await this.serverLog(conversationId);
    const ops = truth.map((entry) => entry.op);
    assert.deepEqual(truth.map((entry) => Number(entry.seq)), truth.map((_, index) => index + 1), "G3: a hole");
    assert.equal(new Set(ops).size, ops.length, "G2: an op is stored more than once");
    for (const person of this.people) {
      const { client, sent } = person;
      await client.online();
      await person.reaches(conversationId, truth.length);
      const mine = client.store.log(conversationId);
      assert.deepEqual(mine.map(readable), truth.map(readable), `G5: ${client.name} holds another log than the server`);
      const own = new Set(sent.get(conversationId) ?? []);
      const stored = ops.filter((op) => own.has(op));
      assert.deepEqual(stored, [...own], `G4: ${client.name}'s messages are stored in another order than sent`);
    }
  }
}

function readable(entry: Entry): unknown {
  return toJson(EntrySchema, entry);
}
