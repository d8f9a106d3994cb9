import { describe, expect, it } from "vitest";
import { SourceError } from "../../../src/model/source-error.ts";
import { createLogger } from "../../../src/observability/logger.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";
import { memoryLog } from "../../fakes/memory-log.ts";

describe("createLogger", () => {
  it("writes one JSON line: level by name, time in RFC 3339, facts, sentence", () => {
    const written: string[] = [];
    const destination = { write: (line: string) => void written.push(line) };
    const logger = createLogger({ level: "info", clock: new FakeClock(), destination });
    logger.info({ connection: "jobs", durationMs: 12 }, "Poll finished");
    expect(written).toEqual([
      '{"level":"info","time":"2026-01-01T00:00:00.000Z","connection":"jobs","durationMs":12,"msg":"Poll finished"}\n',
    ]);
  });

  it("leaves out what is below its level", () => {
    const { logger, lines } = memoryLog(new FakeClock(), "warn");
    logger.debug({}, "a");
    logger.info({}, "b");
    logger.warn({}, "c");
    logger.error({}, "d");
    expect(lines.map(({ msg }) => msg)).toEqual(["c", "d"]);
  });

  it("adds the facts of a child to each of its lines", () => {
    const { logger, lines } = memoryLog(new FakeClock());
    logger.child({ part: "poller" }).info({ n: 1 }, "x");
    expect(lines).toMatchObject([{ part: "poller", n: 1, msg: "x" }]);
  });

  it("shows an error with its stack, and its causes by type, code and message", () => {
    const { logger, lines } = memoryLog(new FakeClock());
    const root = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const err = new SourceError("Unavailable", "no connection", { cause: root });
    logger.error({ err }, "Poll failed");
    expect(lines[0]?.["err"]).toEqual({
      type: "SourceError",
      code: "Unavailable",
      message: "no connection",
      stack: err.stack,
      causes: [{ type: "Error", code: "ECONNREFUSED", message: "connect ECONNREFUSED" }],
    });
  });

  it("does not write what a client library hung on its error", () => {
    const { logger, lines } = memoryLog(new FakeClock());
    const command = { name: "auth", args: ["leadline", "hunter2"] };
    const err = Object.assign(new Error("WRONGPASS"), { command });
    logger.error({ err: new Error("login failed", { cause: err }) }, "Poll failed");
    logger.error({ err }, "Poll failed");
    expect(JSON.stringify(lines)).not.toContain("hunter2");
  });

  it.each(["password", "token", "authorization", "secret", "privateKey"])(
    "never writes the value of %s, at the top or one below",
    (key) => {
      const { logger, lines } = memoryLog(new FakeClock());
      logger.info({ [key]: "hunter2", redis: { [key]: "hunter2", url: "redis://x" } }, "x");
      expect(lines).toMatchObject([
        { [key]: "[Redacted]", redis: { [key]: "[Redacted]", url: "redis://x" } },
      ]);
    },
  );

  it("takes what is no error under err", () => {
    const { logger, lines } = memoryLog(new FakeClock());
    logger.error({ err: "plain text" }, "x");
    expect(lines[0]?.["err"]).toMatchObject({ type: "Error", message: "plain text" });
  });
});
