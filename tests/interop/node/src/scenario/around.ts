// What is around the messages: ticks, unread, preferences, typing, presence and people, told live and kept in step.

import assert from "node:assert/strict";
import { Activity } from "../../gen/parlor/chat/v1/stream_pb.js";
import { ConversationKind, WithheldReason } from "../../gen/parlor/chat/v1/content_pb.js";
import { Relation } from "../../gen/parlor/chat/v1/people_pb.js";
import { Appearance, Availability } from "../../gen/parlor/presence/v1/presence_pb.js";
import { as, reasonName } from "../client/api.js";
import type { Client } from "../client/client.js";
import { refused, texts } from "./steps.js";
import type { World } from "./world.js";

/** Milliseconds a sign of typing is shown. */
const SHOWN = 6000;
/** Seconds since 1970 of the year 9999: for ever. */
const FAR = 253_370_764_800n;

export async function ticks(world: World): Promise<void> {
  const { ada, bob } = world;
  const ops = ada.say(world.group, ...texts("did you get this?", 2));
  for (const person of world.people) await person.holds(world.group, ops);
  const [first, second] = ops.map((op) => ada.seqOf(world.group, op)) as [number, number];
  const bobs = () => ada.client.store.marks(world.group, bob.client.userId);
  await ada.client.until("received", () => bobs().received >= second);
  assert.ok(bobs().read < first, "nothing was shown to Bob yet");
  bob.client.showUpTo(world.group, first);
  await ada.client.until("read", () => bobs().read >= first);
  assert.ok(bobs().read < second && bobs().readAt, "with the time, and no further than that");

  // Read while Ada is away, before it can be told to a stream of hers.
  ada.proxy.refusing = true;
  ada.proxy.cut();
  const { api, token } = bob.client;
  await api.chat.markRead({ conversationId: world.group, seq: BigInt(second) }, as(token));
  ada.proxy.refusing = false;
  await ada.client.until("read while away", () => bobs().read >= second);
  const receipts = { conversationId: world.group, seq: BigInt(second) };
  const answer = await ada.client.api.chat.getReceipts(receipts, as(ada.client.token));
  assert.deepEqual([answer.receivedCount, answer.readCount, answer.members.map((member) => member.userId)], [
    1,
    1,
    [bob.client.userId],
  ]);
  const ahead = ada.client.api.chat.getReceipts({ ...receipts, seq: 1_000_000n }, as(ada.client.token));
  await refused(ahead, "SEQ_AHEAD");
}

export async function twoDevices(world: World): Promise<void> {
  const { ada, bob } = world;
  const phone = ada.client;
  await ada.withSecondDevice(async (tablet) => {
    const row = () => tablet.store.shown(world.direct);
    const read = (seq: number) => tablet.until(`read up to ${seq}`, () => Number(row().marks?.read) === seq);
    const { head } = phone.store.held(world.direct);
    phone.showUpTo(world.direct, head);
    await read(head);
    const ops = bob.say(world.direct, ...texts("unread", 3));
    await ada.holds(world.direct, ops);
    const direct = { conversation: { case: "conversationId" as const, value: world.direct } };
    const fresh = await phone.api.chat.getConversation(direct, as(phone.token));
    assert.equal(fresh.conversation!.unread, 3n);
    phone.showUpTo(world.direct, phone.store.held(world.direct).head);
    await read(phone.store.held(world.direct).head);
    assert.equal(row().unread, 0n);

    const changes = { pinned: true, customName: "Bob!", draft: { text: "Dear Bob," }, mutedUntil: { seconds: FAR } };
    const result = await phone.prefer(world.direct, changes);
    assert.equal(result.outcome.case, "preferences");
    await tablet.until("the phone's preferences", () => row().preferences?.customName === "Bob!");
    assert.deepEqual(row().preferences, result.outcome.value);
    await phone.prefer(world.direct, { mutedUntil: { seconds: 0n }, archived: true });
    await tablet.until("in the archive", () => row().preferences?.archived === true);
    await ada.holds(world.direct, bob.say(world.direct, "back out of the archive"));
    await tablet.until("out of the archive", () => row().preferences?.archived === false);
    const refusal = (await phone.prefer(world.direct, { customName: "x".repeat(101) })).outcome;
    assert.equal(refusal.case === "problem" && reasonName(refusal.value.reason), "FIELD_INVALID");
  });
  await world.verify(world.direct);
}

export async function typing(world: World): Promise<void> {
  const [ada, bob] = world.people.map((person) => person.client) as [Client, Client];
  const shows = (id: string, activity: Activity) => () => bob.activity(id, ada.userId) === activity;
  ada.setTyping(world.direct, Activity.TYPING);
  await bob.until("typing", shows(world.direct, Activity.TYPING));
  const ops = world.ada.say(world.direct, "written");
  for (const person of world.people) await person.holds(world.direct, ops);
  assert.ok(shows(world.direct, Activity.UNSPECIFIED)(), "a message ends it");

  ada.setTyping(world.group, Activity.RECORDING);
  await bob.until("recording", shows(world.group, Activity.RECORDING));
  const began = Date.now();
  ada.setTyping(world.group, Activity.UNSPECIFIED);
  await bob.until("an end of it", shows(world.group, Activity.UNSPECIFIED));
  assert.ok(Date.now() - began < SHOWN / 2, "it ended by itself and not by the stop");
  ada.setTyping(crypto.randomUUID(), Activity.TYPING);
  await ada.until("a refusal", () => ada.live.refused.some(({ frame }) => frame === "set_typing"));
  assert.equal(reasonName(ada.live.refused.at(-1)!.problem!.reason), "CONVERSATION_NOT_FOUND");
}

export async function presence(world: World): Promise<void> {
  const [ada, bob] = world.people.map((person) => person.client) as [Client, Client];
  const seen = async (availability: Availability, text = "") => {
    const shown = () => bob.live.presences.get(ada.userId);
    const what = `${Availability[availability]} ${text}`;
    await bob.until(what, () => shown()?.availability === availability && shown()?.text === text);
  };
  const appear = (appearance: Appearance, text = "") =>
    ada.api.presence.setStatus({ status: { appearance, text } }, as(ada.token));

  bob.watch(ada.userId);
  await seen(Availability.ONLINE);
  ada.setActive(false);
  await seen(Availability.AWAY);
  ada.setActive(true);
  await seen(Availability.ONLINE);
  await appear(Appearance.DO_NOT_DISTURB, "counting tea leaves");
  await seen(Availability.DO_NOT_DISTURB, "counting tea leaves");

  // The watch goes with the stream; the client sets it again on the next.
  bob.live.presences.clear();
  world.bob.proxy.cut();
  await seen(Availability.DO_NOT_DISTURB, "counting tea leaves");

  const watch = bob.api.presence.watch({ userIds: [ada.userId] }, as(bob.token))[Symbol.asyncIterator]();
  const told = async () => {
    const { done, value } = await watch.next();
    return done ? "the end" : value.presences.map((each) => each.availability);
  };
  assert.deepEqual(await told(), [Availability.DO_NOT_DISTURB]);
  await appear(Appearance.INVISIBLE);
  assert.deepEqual(await told(), [Availability.OFFLINE]);
  await watch.return?.();
  await seen(Availability.OFFLINE);
  await appear(Appearance.ONLINE);
  await seen(Availability.ONLINE);
  bob.watch(...Array.from({ length: 201 }, () => crypto.randomUUID()));
  await bob.until("a refusal", () => bob.live.refused.some(({ frame }) => frame === "watch"));
  bob.watch();
}

export async function people(world: World): Promise<void> {
  const [ada, bob] = world.people.map((person) => person.client) as [Client, Client];
  const are = (relation: Relation) => async (one: Client, other: Client) =>
    one.until(Relation[relation], () => one.store.person(other.userId).relation === relation);
  await ada.api.people.requestContact({ userId: bob.userId, note: "tea?" }, as(ada.token));
  await are(Relation.REQUEST_RECEIVED)(bob, ada);
  assert.equal(bob.store.person(ada.userId).note, "tea?");
  await bob.api.people.acceptContact({ userId: ada.userId }, as(bob.token));
  for (const [one, other] of [[ada, bob], [bob, ada]] as const) await are(Relation.CONTACT)(one, other);

  await bob.api.people.blockUser({ userId: ada.userId }, as(bob.token));
  await bob.until("blocked", () => bob.store.person(ada.userId).blocked);
  await are(Relation.UNSPECIFIED)(ada, bob);
  const three = { op: crypto.randomUUID(), kind: ConversationKind.GROUP, name: "Three", memberIds: [bob.userId] };
  await refused(ada.api.chat.createConversation(three, as(ada.token)), "PERSON_NOT_ACCEPTING");
  const [op] = world.ada.say(world.group, "can you hear me?") as [string];
  for (const person of world.people) await person.holds(world.group, [op]);
  const [mine, withheld] = [ada, bob].map((client) => {
    return client.store.log(world.group).find((entry) => entry.op === op)!.content!.kind;
  });
  assert.equal(mine!.case, "text");
  assert.equal(withheld!.case === "withheld" && withheld!.value.reason, WithheldReason.SENDER_BLOCKED);
  await bob.api.people.unblockUser({ userId: ada.userId }, as(bob.token));
  await bob.until("no longer blocked", () => !bob.store.person(ada.userId).blocked);
  await world.ada.holds(world.group, world.ada.say(world.group, "and now?"));
}
