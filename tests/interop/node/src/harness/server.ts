// parlor-server as a process of its own: started on a free port, killed, started again.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import readline from "node:readline";

/** Milliseconds to the line that names the address. */
const START_TIMEOUT = 30_000;
const LISTENING = "listening on ";
const LAST_LINES = 20;

/** One data folder and the process that serves it. The address changes with each start. */
export class Server {
  address = "";
  private process: ChildProcess | undefined;
  private readonly log: string;

  constructor(private readonly data: string) {
    this.log = `${data}.log`;
  }

  async start(): Promise<void> {
    const program = process.env["PARLOR_SERVER_BIN"];
    if (!program) throw new Error("PARLOR_SERVER_BIN is not set: run run.sh");
    const log = fs.openSync(this.log, "a");
    // Nothing of what configures the tests may configure the server.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PARLOR_")));
    const options = { env, stdio: ["ignore" as const, "pipe" as const, log] };
    // Nobody waits for those who were there before a start to come back.
    const settings = ["--set", "presence.settle=0s"];
    const started = spawn(program, ["--listen", "127.0.0.1:0", "--data", this.data, ...settings], options);
    fs.closeSync(log);
    this.process = started;
    const lines = readline.createInterface({ input: started.stdout! });
    const signal = AbortSignal.timeout(START_TIMEOUT);
    const firstLine = Promise.race([once(lines, "line", { signal }), once(lines, "close", { signal })]);
    const [line] = await firstLine.catch(() => []);
    if (!line?.includes(LISTENING)) throw new Error(`the first line is ${line}; the log ends:\n${this.lastWords()}`);
    this.address = line.split(LISTENING)[1].trim().replace("http://", "");
  }

  /** SIGKILL: the process gets no chance to say or save anything. */
  async kill(): Promise<void> {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await exited;
  }

  /** The end of what the processes logged. */
  lastWords(): string {
    return fs.readFileSync(this.log, "utf8").trimEnd().split("\n").slice(-LAST_LINES).join("\n");
  }
}
