import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ApplyOutcome } from "../../../src/config/coordinator.ts";
import type { FileProviderOptions } from "../../../src/config/file-provider.ts";
import { ConfigFileProvider } from "../../../src/config/file-provider.ts";
import type { Clock } from "../../../src/runtime/clock.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";
import { recordingLogger } from "../../fakes/recording-logger.ts";
import { until } from "../../fakes/until.ts";

/** Records what the provider hands over; refuses what starts with `bad`. */
class RecordingCoordinator {
  readonly texts: string[] = [];
  readonly unreadable: string[] = [];

  apply(text: string): Promise<ApplyOutcome> {
    this.texts.push(text);
    const status = text.startsWith("bad") ? "refused" : "applied";
    return Promise.resolve(
      status === "refused"
        ? { status, reasons: ["bad"] }
        : { status, config: { server: {}, ops: off, connections: [], signals: [] } },
    );
  }

  reportUnreadable(message: string): void {
    this.unreadable.push(message);
  }
}

/** A fake clock that tells how often somebody went to sleep on it. */
class SleepCountingClock extends FakeClock {
  sleeps = 0;

  override sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    this.sleeps += 1;
    return super.sleep(delayMs, signal);
  }
}

const off = { api: { enabled: false }, console: { enabled: false } };
/** Long enough that only events can be the cause of what happens within a test. */
const neverPolls = { pollIntervalMs: 3_600_000, settleMs: 20 };

let directory: string;
let file: string;
let providers: ConfigFileProvider[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "leadline-config-"));
  file = join(directory, "leadline.yaml");
  providers = [];
});

afterEach(async () => {
  await Promise.all(providers.map((provider) => provider.stop()));
  await rm(directory, { recursive: true });
});

async function startProvider(
  options: Partial<FileProviderOptions> & { readonly clock?: Clock },
): Promise<{ coordinator: RecordingCoordinator; provider: ConfigFileProvider }> {
  const coordinator = new RecordingCoordinator();
  const { logger } = recordingLogger();
  const provider = new ConfigFileProvider({
    ...{ file, coordinator, logger, clock: systemClock, ...neverPolls },
    ...options,
  });
  providers.push(provider);
  await provider.start();
  return { coordinator, provider };
}

describe("ConfigFileProvider", () => {
  it("applies the file at the start, and what is written later", async () => {
    await writeFile(file, "one");
    const { coordinator } = await startProvider({});
    await until(() => coordinator.texts.length === 1, "the first content is applied");
    await writeFile(file, "two");
    await until(() => coordinator.texts.length === 2, "the second content is applied");
    expect(coordinator.texts).toEqual(["one", "two"]);
  });

  it("does not apply again what was applied before the start", async () => {
    await writeFile(file, "one");
    const { coordinator } = await startProvider({ appliedText: "one" });
    await writeFile(file, "two");
    await until(() => coordinator.texts.length > 0, "the new content is applied");
    expect(coordinator.texts).toEqual(["two"]);
  });

  it("notices a file that an editor puts in its place by a rename", async () => {
    await writeFile(file, "one");
    const { coordinator } = await startProvider({ appliedText: "one" });
    await writeFile(`${file}.new`, "two");
    await rename(`${file}.new`, file);
    await until(() => coordinator.texts.length > 0, "the new content is applied");
    expect(coordinator.texts).toEqual(["two"]);
  });

  it("notices every swap of a ConfigMap mount", async () => {
    const publish = async (name: string, text: string): Promise<void> => {
      await mkdir(join(directory, name));
      await writeFile(join(directory, name, "leadline.yaml"), text);
      await symlink(name, join(directory, "..data_tmp"));
      await rename(join(directory, "..data_tmp"), join(directory, "..data"));
    };
    await publish("..2026_01", "one");
    await symlink("..data/leadline.yaml", file);
    const { coordinator } = await startProvider({ appliedText: "one" });
    for (const [name, text] of [
      ["..2026_02", "two"],
      ["..2026_03", "three"],
      ["..2026_04", "four"],
    ] as const) {
      await publish(name, text);
      await until(() => coordinator.texts.at(-1) === text, `${text} is applied`);
    }
    expect(coordinator.texts).toEqual(["two", "three", "four"]);
  });

  it("looks from time to time where nothing gives events", async () => {
    // The directory of the link never changes; what it points to does.
    const target = join(directory, "elsewhere");
    await mkdir(target);
    await writeFile(join(target, "config"), "one");
    await symlink(join(target, "config"), file);
    const { coordinator } = await startProvider({ appliedText: "one", pollIntervalMs: 20 });
    await writeFile(join(target, "config"), "two");
    await until(() => coordinator.texts.length > 0, "the new content is applied");
    expect(coordinator.texts).toEqual(["two"]);
  });

  it("waits until a file that is being written settles", async () => {
    const clock = new SleepCountingClock();
    await writeFile(file, "one");
    const { coordinator } = await startProvider({ clock, appliedText: "one", settleMs: 100 });
    await writeFile(file, "two: [");
    await until(() => clock.sleeps === 1, "the change was seen");
    await writeFile(file, "two: []");
    await until(() => {
      void clock.advance(100);
      return coordinator.texts.length > 0;
    }, "the content is applied");
    expect(coordinator.texts).toEqual(["two: []"]);
  });

  it("keeps the last good content when the file goes away, and says so", async () => {
    await writeFile(file, "one");
    const { coordinator } = await startProvider({ appliedText: "one" });
    await rm(file);
    await until(() => coordinator.unreadable.length > 0, "the loss is reported");
    expect(coordinator.unreadable[0]).toBe(`file ${file} does not exist`);
    expect(coordinator.texts).toEqual([]);
    await writeFile(file, "one");
    await until(() => coordinator.texts.length > 0, "the file is back");
    expect(coordinator.texts).toEqual(["one"]);
  });

  it("tries refused content again at every look, for a missing secret may come", async () => {
    await writeFile(file, "bad");
    const { coordinator } = await startProvider({ pollIntervalMs: 10, settleMs: 1 });
    await until(() => coordinator.texts.length >= 3, "it was tried three times");
    expect(new Set(coordinator.texts)).toEqual(new Set(["bad"]));
  });

  it("does not apply good content again at every look", async () => {
    await writeFile(file, "one");
    let sleeps = 0;
    const clock: Clock = {
      ...systemClock,
      timeout: (delayMs, parent) => {
        sleeps += 1;
        return systemClock.timeout(delayMs, parent);
      },
    };
    const { coordinator } = await startProvider({ clock, pollIntervalMs: 5, settleMs: 1 });
    await until(() => sleeps > 5, "it looked five times");
    expect(coordinator.texts).toEqual(["one"]);
  });

  it("starts although the directory does not exist", async () => {
    const { coordinator } = await startProvider({ file: join(directory, "none", "x.yaml") });
    await until(() => coordinator.unreadable.length > 0, "the absence is reported");
    expect(coordinator.texts).toEqual([]);
  });

  it("stops at once, twice, and before its start", async () => {
    await writeFile(file, "one");
    const { provider, coordinator } = await startProvider({});
    await Promise.all([provider.stop(), provider.stop()]);
    await writeFile(file, "two");
    expect(coordinator.texts).toEqual([]);
    const { logger } = recordingLogger();
    const unstarted = new ConfigFileProvider({ file, coordinator, logger, clock: systemClock });
    await unstarted.stop();
    await unstarted.start();
    expect(coordinator.texts).toEqual([]);
  });
});
