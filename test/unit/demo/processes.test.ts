import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DemoProcess } from "../../../src/demo/child-process.ts";
import { servingAddress } from "../../../src/demo/leadline-process.ts";
import { startRedis } from "../../../src/demo/redis-process.ts";
import { startWatchdog } from "../../../src/demo/watchdog.ts";
import type { Watchdog } from "../../../src/demo/watchdog.ts";
import { systemClock } from "../../../src/runtime/clock.ts";

let parent: string;
let watchdog: Watchdog;
const never = new AbortController().signal;

beforeEach(() => {
  parent = mkdtempSync(path.join(tmpdir(), "demo-processes-"));
  watchdog = startWatchdog(parent);
});
afterEach(() => {
  watchdog.stop();
  rmSync(parent, { recursive: true, force: true });
});

const node = (script: string): DemoProcess =>
  new DemoProcess({
    ...{ name: "script", command: process.execPath, args: ["-e", script], watchdog },
    ...{ workingDirectory: parent, clock: systemClock },
  });
const isReady = (line: string): string | undefined => (line === "ready" ? line : undefined);

describe("DemoProcess", () => {
  it("waits for a line, also one that came before", async () => {
    const child = node("console.log('ready'); setInterval(() => {}, 1000)");
    expect(await child.waitForLine(isReady, 10_000, never)).toBe("ready");
    expect(await child.waitForLine(isReady, 10_000, never)).toBe("ready");
    await child.stop();
    expect(await child.exited).toBe("signal SIGTERM");
  });

  it("fails with the last lines when the program ends before", async () => {
    const child = node("console.error('no such thing'); process.exit(3)");
    await expect(child.waitForLine(isReady, 10_000, never)).rejects.toThrow(
      "script: ended with exit code 3\n  no such thing",
    );
  });

  it("fails when the line does not come in time", async () => {
    const child = node("setInterval(() => {}, 1000)");
    await expect(child.waitForLine(isReady, 30, never)).rejects.toThrow(
      "script: no answer within 30 ms",
    );
    await child.stop();
  });

  it("names a program that cannot be started", async () => {
    const child = new DemoProcess({
      ...{ name: "redis-server", command: path.join(parent, "absent"), args: [], watchdog },
      ...{ workingDirectory: parent, clock: systemClock },
    });
    await expect(child.waitForLine(isReady, 10_000, never)).rejects.toThrow(
      /redis-server: .*ENOENT/,
    );
    await child.stop();
  });

  it("is guarded while it runs and released when it has ended", async () => {
    const child = node("console.log('ready'); setInterval(() => {}, 1000)");
    const file = path.join(watchdog.directory, "pids", String(child.pid));
    expect(existsSync(file)).toBe(true);
    await child.stop();
    expect(existsSync(file)).toBe(false);
  });
});

describe("startWatchdog", () => {
  it("makes a directory of its own and removes it", () => {
    const own = startWatchdog(parent);
    expect(existsSync(own.directory)).toBe(true);
    own.stop();
    expect(existsSync(own.directory)).toBe(false);
  });
});

describe("startRedis", () => {
  it("starts a server on loopback and stops it", async () => {
    const binary = process.env["REDIS_SERVER"]!;
    const redis = await startRedis({ binary, clock: systemClock, watchdog }, never);
    expect(redis.port).toBeGreaterThan(0);
    await redis.process.stop();
    // A Redis that is asked to end exits by itself.
    expect(await redis.process.exited).toBe("exit code 0");
  });

  it("names what is missing", async () => {
    const binary = path.join(parent, "redis-server");
    await expect(startRedis({ binary, clock: systemClock, watchdog }, never)).rejects.toThrow(
      /^redis-server: ended with spawn .* ENOENT/,
    );
  });
});

describe("servingAddress", () => {
  it.each([
    ['{"level":30,"msg":"Serving","address":"https://127.0.0.1:41873"}', "https://127.0.0.1:41873"],
    ['{"level":30,"address":"https://127.0.0.1:41873","msg":"Serving"}', "https://127.0.0.1:41873"],
    ['{"level":30,"msg":"Serving","address":"http://127.0.0.1:8080"}', undefined],
    ['{"level":30,"msg":"Stopped","address":"https://127.0.0.1:41873"}', undefined],
    ["Serving", undefined],
  ])("reads %s", (line, expected) => {
    expect(servingAddress(line)).toBe(expected);
  });
});
