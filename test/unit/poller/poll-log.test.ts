import { describe, expect, it } from "vitest";
import { SourceError } from "../../../src/model/source-error.ts";
import type { SourceErrorCode } from "../../../src/model/source-error.ts";
import type { PollOutcome } from "../../../src/poller/outcome.ts";
import { PollLog } from "../../../src/poller/poll-log.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";
import { memoryLog } from "../../fakes/memory-log.ts";

function startLog() {
  const clock = new FakeClock();
  const { logger, lines } = memoryLog(clock);
  const log = new PollLog(logger, clock);
  const fail = (queryKey: string, code: SourceErrorCode, previous?: PollOutcome): void => {
    const cause = new Error("connect ECONNREFUSED");
    const error = new SourceError(code, `${queryKey}: failed`, { cause });
    const before = previous === undefined ? {} : { previous };
    log.polled({ connection: "jobs", queryKey, outcome: code, error, ...before });
  };
  return { clock, lines, log, fail };
}

describe("PollLog", () => {
  it("logs a failure with its reason and cause, once", () => {
    const { lines, fail } = startLog();
    fail("jobs/a", "Unavailable");
    for (let again = 0; again < 20; again += 1) fail("jobs/a", "Unavailable", "Unavailable");
    expect(lines).toEqual([
      {
        level: "warn",
        time: "2026-01-01T00:00:00.000Z",
        connection: "jobs",
        query: "jobs/a",
        outcome: "Unavailable",
        reason: "jobs/a: failed",
        cause: "connect ECONNREFUSED",
        suppressed: 0,
        msg: "Poll failed",
      },
    ]);
  });

  it("shows the stack of a fault of our own", () => {
    const { lines, fail } = startLog();
    fail("jobs/a", "Internal");
    expect(lines).toMatchObject([{ err: { code: "Internal", message: "jobs/a: failed" } }]);
  });

  it("tells again after a minute, with the number of lines held back", async () => {
    const { clock, lines, fail } = startLog();
    fail("jobs/a", "Unavailable");
    for (let second = 0; second < 120; second += 1) {
      await clock.advance(1_000);
      fail("jobs/a", "Unavailable", "Unavailable");
    }
    expect(lines.map(({ suppressed }) => suppressed)).toEqual([0, 59, 59]);
  });

  it("writes five lines a minute when a thousand queries fail together", async () => {
    const { clock, lines, fail } = startLog();
    for (let index = 0; index < 1_000; index += 1) fail(`jobs/${index}`, "Unavailable", "Read");
    expect(lines.length).toBe(5);
    await clock.advance(60_000);
    fail("jobs/0", "Unavailable", "Unavailable");
    expect(lines.at(-1)).toMatchObject({ suppressed: 995 });
  });

  it("counts each kind of finding by itself", () => {
    const { lines, fail } = startLog();
    for (let index = 0; index < 9; index += 1) fail(`jobs/${index}`, "Unavailable", "Read");
    fail("jobs/x", "NotFound", "Read");
    expect(lines.at(-1)).toMatchObject({ outcome: "NotFound", query: "jobs/x", suppressed: 0 });
  });

  it("tells once of an absence that a reader allows, and not as a failure", async () => {
    const { clock, lines, log } = startLog();
    const error = new SourceError("NotFound", "jobs/a: not found");
    const absent = { connection: "jobs", queryKey: "jobs/a", outcome: "NotFound", error } as const;
    log.polled({ ...absent, isAllowed: true });
    for (let minute = 0; minute < 60; minute += 1) {
      await clock.advance(60_000);
      log.polled({ ...absent, isAllowed: true, previous: "NotFound" });
    }
    expect(lines).toEqual([
      {
        level: "info",
        time: "2026-01-01T00:00:00.000Z",
        connection: "jobs",
        query: "jobs/a",
        outcome: "NotFound",
        reason: "jobs/a: not found",
        suppressed: 0,
        msg: "Absent, as allowed",
      },
    ]);
  });

  it("tells of a recovery, and is silent about reads that follow reads or nothing", () => {
    const { lines, log } = startLog();
    const read = { connection: "jobs", queryKey: "jobs/a", outcome: "Read" } as const;
    log.polled(read);
    log.polled({ ...read, previous: "Read" });
    log.polled({ ...read, previous: "Unavailable" });
    expect(lines).toMatchObject([
      { level: "info", msg: "Poll outcome changed", outcome: "Read", previous: "Unavailable" },
    ]);
  });

  it("tells of sources and listeners that misbehave, once a minute", () => {
    const { lines, log } = startLog();
    for (let again = 0; again < 3; again += 1) {
      log.dropped("jobs", "Foreign");
      log.listenerFailed("jobs", new Error("evaluation broke"));
    }
    expect(lines).toMatchObject([
      { level: "warn", connection: "jobs", reason: "Foreign", msg: "Report of a source dropped" },
      {
        level: "error",
        err: { message: "evaluation broke" },
        msg: "Outcome could not be evaluated",
      },
    ]);
  });
});
