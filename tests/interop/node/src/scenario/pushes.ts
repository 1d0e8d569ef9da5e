// Numbered pushes, one by one: overtaking, repeated, too far ahead, and on streams that are not one's own.

import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import type { SubscribeResponse } from "../../gen/parlor/chat/v1/chat_service_pb.js";
import { ContentSchema } from "../../gen/parlor/chat/v1/content_pb.js";
import type { ServerFrame } from "../../gen/parlor/chat/v1/stream_pb.js";
import { as, type Api } from "../client/api.js";
import { append, PROTOCOL, type Outgoing } from "../client/rules.js";
import { refused, texts } from "./steps.js";
import type { World } from "./world.js";

/** A subscribed stream without a client around it. */
class Bare {
  private readonly abort = new AbortController();
  private readonly messages: AsyncIterator<SubscribeResponse>;
  private readonly frames: ServerFrame[] = [];
  streamId = "";

  constructor(
    private readonly api: Api,
    private readonly token: string,
  ) {
    const options = { ...as(token), signal: this.abort.signal };
    const stream = api.chat.subscribe({ hello: { protocol: PROTOCOL, client: "bare" } }, options);
    this.messages = stream[Symbol.asyncIterator]();
  }

  async open(): Promise<void> {
    const welcome = await this.next("welcome");
    this.streamId = welcome.streamId;
  }

  push(number: bigint, frames: Outgoing[], streamId = this.streamId): Promise<unknown> {
    return this.api.chat.push({ streamId, number, frames }, as(this.token));
  }

  /** The next frame of a kind; others before it are skipped. */
  async next<K extends NonNullable<ServerFrame["kind"]["case"]>>(kind: K) {
    for (;;) {
      for (let frame = this.frames.shift(); frame; frame = this.frames.shift()) {
        if (frame.kind.case === kind) return frame.kind.value as Extract<ServerFrame["kind"], { case: K }>["value"];
      }
      const { done, value } = await this.messages.next();
      if (done) throw new Error(`the stream ended before ${kind}`);
      this.frames.push(...value.frames);
    }
  }

  close(): void {
    this.abort.abort();
  }
}

function ping(nonce: bigint): Outgoing {
  return { kind: { case: "ping", value: { nonce } } };
}

export async function numberedPushes(world: World): Promise<void> {
  const { ada, bob } = world;
  // Bob's own stream gives way: a session has one.
  await bob.client.stop();
  const bare = new Bare(bob.client.api, bob.client.token);
  await bare.open();

  // The second overtakes the first: their frames take effect in the order of the numbers.
  const { head } = bob.client.store.held(world.group);
  const said = ["first", "second"].map((body) => {
    const content = create(ContentSchema, { kind: { case: "text", value: { body } } });
    return { op: crypto.randomUUID(), conversationId: world.group, baseSeq: head, content };
  });
  const [one, two] = said.map((pending): Outgoing => ({ kind: { case: "append", value: append(pending, 0) } }));
  await Promise.all([bare.push(2n, [two!]), bare.push(1n, [one!])]);
  const answers = [await bare.next("appendResult"), await bare.next("appendResult")];
  assert.deepEqual(answers.map((answer) => answer.op), said.map((pending) => pending.op), "G4: a push overtook");

  // The same number again has no effect: of three pings two are answered.
  await bare.push(3n, [ping(3n)]);
  await bare.push(3n, [ping(3n)]);
  await bare.push(4n, [ping(4n)]);
  const pongs = [await bare.next("pong"), await bare.next("pong")];
  assert.deepEqual(pongs.map((pong) => pong.nonce), [3n, 4n], "G2: a push took effect twice");

  await refused(bare.push(4n + 18n, [ping(22n)]), "PUSH_AHEAD");
  await refused(bare.push(5n, [], crypto.randomUUID()), "STREAM_NOT_FOUND");
  const others = ada.client.stream!.rules.welcome!.streamId;
  await refused(bare.push(5n, [], others), "STREAM_NOT_FOUND");
  bare.close();

  const sent = bob.sent.get(world.group)!;
  bob.sent.set(world.group, [...sent, ...said.map((pending) => pending.op)]);
  bob.client.start();
  await world.verify(world.group);
}

export async function lostPushes(world: World): Promise<void> {
  const { ada, bob, flaky } = world;
  const before = ada.client.connections;
  flaky.losing = true;
  const ops = ada.say(world.direct, ...texts("every third push is lost", 30));
  for (const person of [ada, bob]) await person.holds(world.direct, ops);
  flaky.losing = false;
  await world.verify(world.direct);
  assert.ok(flaky.lost > 1, "no push was lost, so nothing was tried");
  assert.equal(ada.client.connections, before, "a lost push cost the stream");
  assert.ok(ada.client.stream!.pushes!.resent >= flaky.lost, "a lost push was not sent again");
}

export async function displaced(world: World): Promise<void> {
  const { client } = world.bob;
  // Often enough for a push to meet the end of its stream: STREAM_NOT_FOUND must not outrun the Goodbye.
  for (let round = 1; round <= 10; round += 1) {
    await client.online();
    const bare = new Bare(client.api, client.token);
    await bare.open();
    await client.until("Goodbye", () => client.ended !== undefined);
    assert.equal(client.ended, "Goodbye DISPLACED");
    bare.close();
    await client.stop();
    client.start();
  }
}
