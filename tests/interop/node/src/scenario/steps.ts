// What two people do, with every fault on the way.

import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ContentSchema, ConversationKind } from "../../gen/parlor/chat/v1/content_pb.js";
import { as, reasonOf } from "../client/api.js";
import { PASSWORD, type Person, type World } from "./world.js";

export function texts(topic: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${topic} ${index + 1}`);
}

/** The call must fail, with this reason. */
export async function refused(call: Promise<unknown>, reason: string): Promise<void> {
  const failure = await call.then(() => "an answer", reasonOf);
  assert.equal(failure, reason);
}

function answered(person: Person, op: string): () => boolean {
  return () => person.client.answers.has(op);
}

export async function accounts({ ada, bob }: World): Promise<void> {
  for (const { client } of [ada, bob]) await client.register(PASSWORD);
  await refused(ada.client.login(`${PASSWORD}?`), "CREDENTIALS_INVALID");
  await refused(bob.client.register(PASSWORD), "USERNAME_TAKEN");
  const spent = ada.client.store.fact("refreshToken");
  await ada.client.refresh();
  assert.notEqual(ada.client.store.fact("refreshToken"), spent);
  await refused(ada.client.api.auth.logout({}), "TOKEN_MISSING");
}

export async function conversations(world: World): Promise<void> {
  const [ada, bob] = world.people.map((person) => person.client) as [Person["client"], Person["client"]];
  for (const client of [ada, bob]) client.start();
  for (const client of [ada, bob]) await client.online();

  const group = create(ContentSchema, {
    kind: { case: "created", value: { kind: ConversationKind.GROUP, name: "Tea", memberIds: [bob.userId] } },
  });
  // Without an id: the server derives it from the creator and the op, and the answer names it.
  const op = ada.submit("", group);
  await ada.until("the group", () => ada.answers.get(op)?.outcome.case === "appended");
  world.group = ada.answers.get(op)!.conversationId;

  const direct = { op: crypto.randomUUID(), kind: ConversationKind.DIRECT, memberIds: [ada.userId] };
  const made = await bob.api.chat.createConversation(direct, as(bob.token));
  const again = await bob.api.chat.createConversation(direct, as(bob.token));
  world.direct = made.conversation!.id;
  assert.equal(again.conversation!.id, world.direct);
  assert.deepEqual([made.existed, again.existed], [false, true]);
  for (const id of [world.group, world.direct]) {
    for (const person of world.people) await person.reaches(id, 1);
    await world.verify(id);
  }
}

export async function talk(world: World): Promise<void> {
  for (const id of [world.direct, world.group]) {
    const ops = [...world.ada.say(id, "Good morning!"), ...world.bob.say(id, "Tea? ☕ 茶 شاي", "With milk?")];
    for (const person of world.people) await person.holds(id, ops);
    await world.verify(id);
  }
}

export async function rateLimit(world: World): Promise<void> {
  world.bob.proxy.delay = 20;
  const ops = world.bob.say(world.direct, ...texts("hurry", 60));
  for (const person of world.people) await person.holds(world.direct, ops);
  world.bob.proxy.delay = 0;
  await world.verify(world.direct);
}

export async function cutMidBurst(world: World): Promise<void> {
  const { ada, bob } = world;
  // Lost on the way to the server; stored, but the answers lost; and cut with nothing lost before.
  for (const [toServer, toClient] of [[true, false], [false, true], [false, false]] as const) {
    const before = world.people.map((person) => person.client.connections);
    const topic = `lost to server ${toServer}, to client ${toClient}`;
    const ops = ada.say(world.group, ...texts(`${topic}, before`, 5));
    await ada.client.until("the first answer", answered(ada, ops[0]!));
    ada.proxy.swallow({ toServer, toClient });
    const unanswered = ada.say(world.group, ...texts(`${topic}, ada`, 5));
    if (toClient) {
      await bob.holds(world.group, unanswered);
      assert.ok(!unanswered.some((op) => ada.client.answers.has(op)));
    }
    ops.push(...unanswered, ...bob.say(world.group, ...texts(`${topic}, bob`, 10)));
    for (const person of world.people) person.proxy.cut();
    for (const person of world.people) await person.holds(world.group, ops);
    world.people.forEach((person, index) => assert.ok(person.client.connections > before[index]!, "cut nobody"));
    await world.verify(world.group);
  }
}

export async function halfOpen(world: World): Promise<void> {
  const { ada, bob } = world;
  ada.proxy.swallow({ toServer: true, toClient: true });
  const ops = [...ada.say(world.direct, ...texts("into the void", 5)), ...bob.say(world.direct, "are you there?")];
  ada.client.networkChanged();
  for (const person of world.people) await person.holds(world.direct, ops);
  await world.verify(world.direct);
}

export async function killMidBurst(world: World): Promise<void> {
  const { ada, bob, server } = world;
  for (const round of [1, 2, 3]) {
    const ops = ada.say(world.direct, ...texts(`kill ${round}, ada`, 10));
    await ada.client.until("the first answer", answered(ada, ops[0]!));
    ops.push(...ada.say(world.direct, ...texts(`kill ${round}, ada again`, 10)));
    ops.push(...bob.say(world.direct, ...texts(`kill ${round}, bob`, 10)));
    // waits: for a random moment of the burst, so that every run kills at another
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
    await server.kill();
    const acked = new Map<string, bigint>();
    for (const op of ops) {
      const outcome = (ada.client.answers.get(op) ?? bob.client.answers.get(op))?.outcome;
      if (outcome?.case === "appended") acked.set(op, outcome.value.seq);
    }
    await server.start();
    const stored = new Map((await world.serverLog(world.direct)).map((entry) => [entry.op, entry.seq]));
    for (const [op, seq] of acked) assert.equal(stored.get(op), seq, `G1: ${op} was acked and is not there`);
    for (const person of world.people) await person.holds(world.direct, ops);
    await world.verify(world.direct);
  }
}

export async function onePath(world: World): Promise<void> {
  const { ada } = world;
  const [op] = ada.say(world.direct, "once") as [string];
  await ada.holds(world.direct, [op]);
  const entry = ada.client.store.log(world.direct).find((each) => each.op === op)!;
  const append = { conversationId: world.direct, op, baseSeq: entry.seq - 1n, content: entry.content! };
  const { appended } = await ada.client.api.chat.append({ append }, as(ada.client.token));
  assert.equal(appended!.duplicate, true, "G2: a repeated op was not answered as a duplicate");
  assert.equal(appended!.seq, entry.seq);
  const other = create(ContentSchema, { kind: { case: "text", value: { body: "twice" } } });
  const reused = ada.client.api.chat.append({ append: { ...append, content: other } }, as(ada.client.token));
  await refused(reused, "OP_REUSED");
  await world.verify(world.direct);
}
