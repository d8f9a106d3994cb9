import { describe, expect, it } from "vitest";
import { paintAnsi, paintNothing } from "../../../src/demo/chart.ts";
import { formatSignal, renderFrame, renderPlainLine } from "../../../src/demo/frame.ts";
import type { DemoView } from "../../../src/demo/frame.ts";
import type { DemoColumn } from "../../../src/demo/timeline.ts";

const column = (overrides: Partial<DemoColumn> = {}): DemoColumn => ({
  ...{ queueDepth: 20, signal: 4, replicas: 4, hasBurst: false, hasFailedRead: false },
  ...overrides,
});
const view = (overrides: Partial<DemoView> = {}): DemoView => ({
  elapsedMs: 3000,
  timeScale: 15,
  columns: [
    column({ queueDepth: 0, signal: 0, replicas: 1 }),
    column({ queueDepth: 50, signal: 10, replicas: 5, hasBurst: true }),
    column({ queueDepth: 34, signal: undefined, replicas: 5, hasFailedRead: true }),
  ],
  firstColumn: 0,
  secondsPerColumn: 1,
  controller: { status: "Following", text: "asks 10, gets 5: SucceededRescale, ScaleUpLimit" },
  isApiStopped: false,
  produced: 50,
  done: 16,
  longestWaitMs: 2345,
  readsOk: 2,
  readsFailed: 1,
  maxReplicas: 12,
  curl: "curl --cacert /tmp/leadline-demo-abcdef/ca.crt 'https://127.0.0.1:41873/apis/external.metrics.k8s.io/v1beta1/namespaces/demo/workers?labelSelector=queue%3Djobs'",
  keys: "b API off/on, + burst, q quit",
  ...overrides,
});
const size = { columns: 80, rows: 24 };

describe("renderFrame", () => {
  it("shows queue, signal and replicas over time, and how to ask for the number", () => {
    expect(renderFrame(view(), size, paintNothing)).toEqual([
      "Leadline: a queue moves an HPA                     0:03  time ×15  API server up",
      "HPA asks 10, gets 5: SucceededRescale, ScaleUpLimit",
      "queue depth, jobs                                                         now 34",
      "  50 ┤ █",
      "     │ █▁",
      "     │ ██",
      "     │ ██",
      "     │ ██",
      "   0 ┤ ██",
      "signal, replicas asked for (read over HTTPS)                            now none",
      "  12 ┤ ▄",
      "     │ █",
      "   0 ┤ █·",
      "replicas, workers running (0 to 12)                                        now 5",
      "  12 ┤",
      "     │ ▂▂",
      "   0 ┤▂██",
      "     └─▲×",
      "      0:00",
      "      ▲ burst of jobs   × read failed   red: frozen   · no number",
      "jobs 50 made, 16 done, longest wait 2.3 s   reads 2 ok, 1 failed",
      "Ask for the number yourself   (keys: b API off/on, + burst, q quit):",
      view().curl,
    ]);
  });

  it.each([
    ["80x24", { columns: 80, rows: 24 }],
    ["60x20", { columns: 60, rows: 20 }],
    ["200x60", { columns: 200, rows: 60 }],
    ["80x24 after hours", { columns: 80, rows: 24 }],
  ])("fits %s", (name, terminal) => {
    const columns = Array.from({ length: name.includes("hours") ? 512 : 30 }, () => column());
    const long = view({ columns, controller: { status: "Frozen", reason: "x".repeat(500) } });
    const lines = renderFrame(long, terminal, paintNothing);
    const rows = lines.map((line) => Math.max(1, Math.ceil(line.length / terminal.columns)));
    expect(rows.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(terminal.rows);
    for (const line of lines.slice(0, -1))
      expect(line.length).toBeLessThanOrEqual(terminal.columns);
  });

  it("says in red that it is frozen, at what size, and why", () => {
    const frozen = view({
      isApiStopped: true,
      controller: { status: "Frozen", reason: "connect ECONNREFUSED 127.0.0.1:41873" },
    });
    const lines = renderFrame(frozen, size, paintAnsi);
    expect(lines[0]?.startsWith("\u001B[31mLeadline")).toBe(true);
    expect(lines[0]).toContain("API server STOPPED");
    expect(lines[1]).toBe(
      "\u001B[31mHPA FROZEN at 5: connect ECONNREFUSED 127.0.0.1:41873\u001B[0m",
    );
  });

  it("invents nothing before the first sample", () => {
    const lines = renderFrame(
      view({ columns: [], controller: { status: "Waiting" } }),
      size,
      paintNothing,
    );
    expect(lines[1]).toBe("HPA: waiting for the first read");
    expect(lines.filter((line) => line.includes("now ")).map((line) => line.slice(-5))).toEqual([
      "now ?",
      " none",
      "now ?",
    ]);
  });
});

describe("renderPlainLine", () => {
  it.each([
    ["numbers", {}, " 0:03  queue 34 jobs  signal none  replicas 5"],
    [
      "a burst",
      { columns: [column({ hasBurst: true })] },
      " 0:03  queue 20 jobs  signal 4  replicas 4  burst",
    ],
    [
      "the reason of a freeze",
      { controller: { status: "Frozen", reason: "input jobs is stale" } },
      " 0:03  queue 34 jobs  signal none  replicas 5  FROZEN: input jobs is stale",
    ],
  ] as const)("tells %s in one line", (_what, overrides, expected) => {
    expect(renderPlainLine(view(overrides))).toBe(expected);
  });
});

describe("formatSignal", () => {
  it.each([
    [undefined, "none"],
    [0, "0"],
    [1 / 3, "0.33"],
    [12, "12"],
  ])("writes %s as %s", (signal, expected) => {
    expect(formatSignal(signal)).toBe(expected);
  });
});
