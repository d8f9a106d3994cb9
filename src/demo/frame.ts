import { axisWidth, formatSeconds, renderLane, renderTimeAxis } from "./chart.ts";
import type { ChartColour, ChartMarker, Paint } from "./chart.ts";
import type { DemoColumn } from "./timeline.ts";

/** What the controller is doing, for the eye: following the number, or frozen for want of one. */
export type ControllerStatus =
  | { readonly status: "Waiting" }
  | { readonly status: "Following"; readonly text: string }
  | { readonly status: "Frozen"; readonly reason: string };

/** Everything that a frame shows. */
export interface DemoView {
  readonly elapsedMs: number;
  readonly timeScale: number;
  /** Oldest first; the last one is now. */
  readonly columns: readonly DemoColumn[];
  readonly firstColumn: number;
  readonly secondsPerColumn: number;
  readonly controller: ControllerStatus;
  readonly isApiStopped: boolean;
  readonly produced: number;
  readonly done: number;
  readonly longestWaitMs: number;
  readonly readsOk: number;
  readonly readsFailed: number;
  readonly maxReplicas: number;
  /** The command that asks for the number. */
  readonly curl: string;
  /** Keys that may be pressed, as text; undefined where there is no keyboard. */
  readonly keys: string | undefined;
}

/** Size of the terminal, characters. */
export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
}

/** The smallest terminal that a chart fits into. */
export const smallestFrame: FrameSize = { columns: 60, rows: 20 };

/** A signal for people: at most two decimals. */
export function formatSignal(signal: number | undefined): string {
  return signal === undefined ? "none" : String(Math.round(signal * 100) / 100);
}

function pad(left: string, right: string, width: number): string {
  return left + " ".repeat(Math.max(1, width - left.length - right.length)) + right;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** One screen: the lines from top to bottom, none wider than the terminal but the last, which holds the command whole. */
export function renderFrame(view: DemoView, size: FrameSize, paint: Paint): readonly string[] {
  const curlRows = Math.ceil(view.curl.length / size.columns);
  const heights = laneHeights(size.rows - fixedRows - curlRows);
  return [
    headLine(view, size.columns, paint),
    statusLine(view, size.columns, paint),
    ...renderLanes(view, size.columns, heights, paint),
    paint(cut(legend, size.columns), "dim"),
    paint(cut(countsLine(view), size.columns), "dim"),
    paint(cut(askLine(view.keys), size.columns), "dim"),
    view.curl,
  ];
}

function askLine(keys: string | undefined): string {
  return `Ask for the number yourself${keys === undefined ? "" : `   (keys: ${keys})`}:`;
}

/** Head, status, three lane titles, axis and its labels, legend, counts, and the line above the command. */
const fixedRows = 10;

const legend = "      ▲ burst of jobs   × read failed   red: frozen   · no number";

/** Shares the rows left for bars: half for the queue, a quarter each for signal and replicas; 1 at least. */
function laneHeights(rows: number): readonly [number, number, number] {
  const small = Math.max(1, Math.floor(rows / 4));
  return [Math.max(1, Math.min(10, rows - 2 * small)), small, small];
}

function headLine(view: DemoView, width: number, paint: Paint): string {
  const { elapsedMs, timeScale } = view;
  const left = "Leadline: a queue moves an HPA";
  const api = view.isApiStopped ? "API server STOPPED" : "API server up";
  const right = `${formatSeconds(elapsedMs / 1000)}  time ×${timeScale}  ${api}`;
  const line = pad(left, right, width);
  return view.isApiStopped ? paint(line, "red") : line;
}

function statusLine({ controller, columns }: DemoView, width: number, paint: Paint): string {
  switch (controller.status) {
    case "Waiting":
      return paint("HPA: waiting for the first read", "dim");
    case "Following":
      return paint(cut(`HPA ${controller.text}`, width), "green");
    case "Frozen": {
      const replicas = columns.at(-1)?.replicas;
      return paint(cut(`HPA FROZEN at ${replicas ?? "?"}: ${controller.reason}`, width), "red");
    }
  }
}

function renderLanes(
  view: DemoView,
  width: number,
  [queueRows, signalRows, replicaRows]: readonly [number, number, number],
  paint: Paint,
): readonly string[] {
  const visible = view.columns.slice(-(width - axisWidth));
  const firstColumn = view.firstColumn + view.columns.length - visible.length;
  const now = visible.at(-1);
  const isMarked = visible.map(({ hasFailedRead }) => hasFailedRead);
  const never = isMarked.map(() => false);
  const lane = (
    title: string,
    current: string,
    colour: ChartColour,
    values: readonly (number | undefined)[],
  ) => ({ title, current, colour, values });
  const depths = visible.map(({ queueDepth }) => queueDepth);
  const queue = lane("queue depth, jobs", `now ${now?.queueDepth ?? "?"}`, "cyan", depths);
  const signals = visible.map(({ signal }) => signal);
  const asked = lane(
    "signal, replicas asked for (read over HTTPS)",
    `now ${formatSignal(now?.signal)}`,
    "yellow",
    signals,
  );
  const running = lane(
    `replicas, workers running (0 to ${view.maxReplicas})`,
    `now ${now?.replicas ?? "?"}`,
    "green",
    visible.map(({ replicas }) => replicas),
  );
  const least = { leastMaximum: view.maxReplicas };
  return [
    ...renderLane(
      { ...queue, heightRows: queueRows, isMarked: never, leastMaximum: 10 },
      width,
      paint,
    ),
    ...renderLane({ ...asked, heightRows: signalRows, isMarked, ...least }, width, paint),
    ...renderLane({ ...running, heightRows: replicaRows, isMarked, ...least }, width, paint),
    ...renderTimeAxis(visible.map(markerOf), firstColumn, view.secondsPerColumn, paint),
  ];
}

function markerOf({ hasBurst, hasFailedRead }: DemoColumn): ChartMarker {
  if (hasBurst) return "Burst";
  return hasFailedRead ? "FailedRead" : "None";
}

function countsLine(view: DemoView): string {
  const wait = (view.longestWaitMs / 1000).toFixed(1);
  const jobs = `jobs ${view.produced} made, ${view.done} done, longest wait ${wait} s`;
  return `${jobs}   reads ${view.readsOk} ok, ${view.readsFailed} failed`;
}

/** The same in one line, for output that is no terminal. */
export function renderPlainLine(view: DemoView): string {
  const now = view.columns.at(-1);
  const time = formatSeconds(view.elapsedMs / 1000).padStart(5);
  const burst = now?.hasBurst === true ? "  burst" : "";
  const numbers = `queue ${now?.queueDepth ?? "?"} jobs  signal ${formatSignal(now?.signal)}  replicas ${now?.replicas ?? "?"}`;
  const state = view.controller.status === "Frozen" ? `  FROZEN: ${view.controller.reason}` : "";
  return `${time}  ${numbers}${burst}${state}`;
}
