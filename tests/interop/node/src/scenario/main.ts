// Plays every step in order and counts. Steps build on each other, so the first failure is the last step.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import * as around from "./around.js";
import { displaced, lostPushes, numberedPushes } from "./pushes.js";
import * as steps from "./steps.js";
import { World } from "./world.js";

const STEPS: [string, (world: World) => Promise<void>][] = [
  ["people register over gRPC-Web; refusals carry their reasons", steps.accounts],
  ["a group and a direct conversation come to be once", steps.conversations],
  ["both talk: one over Node's HTTP, one over fetch as in a browser", steps.talk],
  ["a burst above the rate limit, over a slow network, arrives whole and in order", steps.rateLimit],
  ["connections cut in the middle of bursts: both resume, nothing is lost, doubled or reordered", steps.cutMidBurst],
  ["a connection that hangs is noticed by a Ping without a Pong, and replaced", steps.halfOpen],
  ["the server is killed in the middle of bursts: what was acked is there, the rest is sent again", steps.killMidBurst],
  ["the same op by Push and by Append is one entry; with other content it is refused", steps.onePath],
  ["pushes take effect once and in the order of their numbers", numberedPushes],
  ["lost pushes, and pushes whose answers are lost, are sent again on the same stream", lostPushes],
  ["ticks: others' marks come live, and those missed come with the row", around.ticks],
  ["unread and preferences: what one device does the other shows", around.twoDevices],
  ["typing and recording are shown to the other; a message or a stop ends it", around.typing],
  ["presence follows the apps and what their user says, on the stream and by Watch", around.presence],
  ["a newer stream of the session says Goodbye to the older, which stays away", displaced],
  ["contacts come to both; what a blocked sender says is withheld, and they are not told", around.people],
];

async function play(folder: string): Promise<number> {
  const world = await World.begin(folder);
  let passed = 0;
  let failed = 0;
  for (const [title, step] of STEPS) {
    const began = Date.now();
    try {
      await step(world);
    } catch (error) {
      failed = 1;
      console.log(`FAILED  ${title}\n`, error, `\nthe end of the server's log:\n${world.server.lastWords()}`);
      break;
    }
    passed += 1;
    console.log(`ok ${((Date.now() - began) / 1000).toFixed(1).padStart(5)} s  ${title}`);
  }
  await world.end();
  const left = STEPS.length - passed - failed;
  console.log(`${passed} passed, ${failed} failed${left ? `, ${left} not run` : ""}`);
  return failed;
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "parlor-node-"));
const failed = await play(folder).finally(() => fs.rmSync(folder, { recursive: true }));
process.exit(failed);
