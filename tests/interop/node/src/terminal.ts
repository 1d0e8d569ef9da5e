// A client driven by lines, for programs: `tsx terminal.ts NAME FOLDER URL` takes commands as JSON on standard input and
// answers each with one line of JSON.
//
//   {"do": "register", "password": "..."}                 {"user_id": "..."}
//   {"do": "send", "to": CONVERSATION, "text": "..."}     {"op": "..."}; stored in the outbox, sent when it can be
//   {"do": "direct", "with": USER}                        {"conversation_id": "..."}
//   {"do": "settle", "to": CONVERSATION, "count": N}      {}; once N entries are held and nothing is left to send
//   {"do": "log", "to": CONVERSATION}                     {"entries": [...]}

import path from "node:path";
import readline from "node:readline";
import { createGrpcWebTransport } from "@connectrpc/connect-node";
import { ConversationKind } from "../gen/parlor/chat/v1/content_pb.js";
import { as } from "./client/api.js";
import { Client } from "./client/client.js";
import { file } from "./harness/file.js";

const [name, folder, baseUrl] = process.argv.slice(2);
if (!name || !folder || !baseUrl) throw new Error("usage: terminal.ts NAME FOLDER URL");
const transport = createGrpcWebTransport({ baseUrl, httpVersion: "1.1" });
const client = new Client(name, file(path.join(folder, "client.json")), transport);

type Command = Record<string, string>;

const commands: Record<string, (command: Command) => Promise<object>> = {
  async register({ password = "" }) {
    await client.register(password);
    client.start();
    await client.online();
    return { user_id: client.userId };
  },
  async send({ to = "", text = "" }) {
    return { op: client.send(to, text) };
  },
  async direct({ with: user = "" }) {
    const request = { op: crypto.randomUUID(), kind: ConversationKind.DIRECT, memberIds: [user] };
    const { conversation } = await client.api.chat.createConversation(request, as(client.token));
    return { conversation_id: conversation!.id };
  },
  async settle({ to = "", count = "" }) {
    const settled = () => client.store.held(to).have >= Number(count) && client.store.outbox().length === 0;
    await client.until(`${count} entries, outbox empty`, settled);
    return {};
  },
  async log({ to = "" }) {
    const entries = client.store.log(to).map(({ seq, op, senderId, content }) => {
      const text = content?.kind.case === "text" ? content.kind.value.body : "";
      return { seq: Number(seq), op, sender_id: senderId, kind: content?.kind.case, text };
    });
    return { entries };
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as Command;
  const run = commands[command["do"] ?? ""];
  if (!run) throw new Error(`no such command: ${line}`);
  console.log(JSON.stringify(await run(command)));
}
await client.stop();
process.exit(0);
