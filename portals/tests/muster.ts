/** Starts the real program in a directory of its own, and ends it. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface Muster {
  /** `http://127.0.0.1:port`. */
  url: string;
  administrator: { username: string; temporaryPassword: string };
  stop: () => Promise<void>;
}

const program = process.env.MUSTER_PROGRAM ?? "../target/debug/muster";
/** With these the test runs on Kafka and PostgreSQL. */
const distributed = process.env.MUSTER_TEST_LOG && process.env.MUSTER_TEST_VIEWS;

export async function startMuster(): Promise<Muster> {
  const dir = mkdtempSync(join(tmpdir(), "muster-portal-"));
  const env = {
    PATH: process.env.PATH,
    MUSTER_DATA_DIR: join(dir, "data"),
    MUSTER_LISTEN: "127.0.0.1:0",
    MUSTER_OPERATIONS_LISTEN: "127.0.0.1:0",
    MUSTER_COMMANDS_LISTEN: "127.0.0.1:0",
    MUSTER_DEV: "true",
    MUSTER_REGISTRATIONS_PER_ADDRESS: "off",
    ...(distributed
      ? {
          MUSTER_LOG: process.env.MUSTER_TEST_LOG,
          MUSTER_VIEWS: process.env.MUSTER_TEST_VIEWS,
          MUSTER_TOPIC_PREFIX: `portal-${process.pid}-${Date.now()}.`,
        }
      : {}),
  };
  if (distributed) execFileSync(program, ["topics"], { env });
  const init = execFileSync(program, ["init", "--username", "root-admin", "--format", "json"], {
    env,
    encoding: "utf8",
  });
  const child = spawn(program, ["serve"], { env, stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
  const url = await addressOf(child, said);
  return {
    url,
    administrator: JSON.parse(init),
    stop: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The address that the program says, once it answers on it. */
function addressOf(child: ChildProcess, said: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`muster ended with ${code}:\n${said.join("\n")}`)));
    if (!child.stdout) return reject(new Error("muster has no standard output"));
    let url = "";
    createInterface({ input: child.stdout }).on("line", (line) => {
      url ||= /User portal\s+(http:\S+)\//.exec(line)?.[1] ?? "";
      const health = /Health\s+(http:[^,]+)/.exec(line)?.[1];
      if (health) until(async () => (await fetch(health)).ok).then(() => resolve(url), reject);
    });
  });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds().catch(() => false))) await new Promise((resolve) => setImmediate(resolve));
}
