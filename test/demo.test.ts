import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const startTimeoutMs = 60_000;

let temporary: string;
let started: ChildProcess | undefined;

beforeEach(() => {
  temporary = mkdtempSync(path.join(tmpdir(), "demo-test-"));
});
afterEach(() => {
  started?.kill("SIGKILL");
  rmSync(temporary, { recursive: true, force: true });
});

interface Demo {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exitCode: Promise<number | null>;
}

/** Runs `leadline demo` as a user does whose output goes to a file. */
function runDemo(...args: readonly string[]): Demo {
  const child = spawn(process.execPath, [main, "demo", ...args], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started = child;
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  const exitCode = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, output: () => text, exitCode };
}

/** The ports of Redis and Leadline, once both have been named. */
async function portsOf({ output }: Demo): Promise<readonly number[]> {
  return vi.waitFor(
    () => {
      const ports = [/redis-server listens on 127\.0\.0\.1:(\d+)/, /serves on https:.*:(\d+)/].map(
        (pattern) => Number(pattern.exec(output())?.[1]),
      );
      expect(ports.every(Number.isInteger), output()).toBe(true);
      return ports;
    },
    { timeout: startTimeoutMs, interval: 50 },
  );
}

/** Whether anything listens on a loopback port. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function expectNothingLeft(ports: readonly number[]): Promise<void> {
  expect(await Promise.all(ports.map(listens))).toEqual([false, false]);
  expect(readdirSync(temporary)).toEqual([]);
}

describe("leadline demo", () => {
  it(
    "moves replicas up and down by a number read over HTTPS, freezes them without it, and leaves nothing behind",
    { timeout: 120_000 },
    async () => {
      const demo = runDemo(
        ...["--for", "16s", "--time-scale", "30"],
        ...["--break-api-at", "2s", "--break-api-for", "2s"],
      );
      const ports = await portsOf(demo);
      expect(await demo.exitCode, demo.output()).toBe(0);
      const output = demo.output();
      const sizes = (/^replicas +(.+)$/m.exec(output)?.[1] ?? "").split(" → ").map(Number);
      const moves = sizes.slice(1).map((size, index) => Math.sign(size - sizes[index]!));
      expect(moves, output).toEqual(expect.arrayContaining([1, -1]));
      expect(output).toMatch(/^jobs +[1-9]\d* produced, [1-9]\d* done$/m);
      expect(output).toMatch(/^reads +[1-9]\d* ok, [1-9]\d* failed$/m);
      expect(output).toMatch(/FROZEN: .*ECONNREFUSED/);
      expect(output).toContain("frozen       replicas did not move while reads failed");
      expect(output).toContain(
        `https://127.0.0.1:${ports[1]}/apis/external.metrics.k8s.io/v1beta1`,
      );
      await expectNothingLeft(ports);
    },
  );

  it("clears up when it is interrupted", { timeout: 90_000 }, async () => {
    const demo = runDemo();
    const ports = await portsOf(demo);
    await vi.waitFor(() => expect(demo.output()).toContain("replicas 1"), {
      timeout: startTimeoutMs,
    });
    demo.child.kill("SIGINT");
    expect(await demo.exitCode, demo.output()).toBe(0);
    await expectNothingLeft(ports);
  });

  it("leaves nothing behind when it is killed", { timeout: 90_000 }, async () => {
    const demo = runDemo();
    const ports = await portsOf(demo);
    demo.child.kill("SIGKILL");
    expect(await demo.exitCode).toBeNull();
    await vi.waitFor(() => expectNothingLeft(ports), { timeout: 10_000, interval: 50 });
  });

  it("names what is missing and ends with 1", { timeout: 60_000 }, async () => {
    const absent = path.join(temporary, "no-redis");
    const child = spawn(process.execPath, [main, "demo", "--for", "5s"], {
      env: { ...process.env, TMPDIR: temporary, REDIS_SERVER: absent },
      stdio: ["ignore", "ignore", "pipe"],
    });
    started = child;
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      errors += chunk;
    });
    const exitCode = await new Promise((resolve) => child.once("close", resolve));
    expect(exitCode).toBe(1);
    expect(errors).toBe(`leadline demo: redis-server: ended with spawn ${absent} ENOENT\n`);
    expect(readdirSync(temporary)).toEqual([]);
  });
});
