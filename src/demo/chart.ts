/** Colours of the eight that every terminal has. */
export type ChartColour = "cyan" | "yellow" | "green" | "red" | "dim";

/** Text that is at most as wide as it says, with the colours applied last so that widths stay countable. */
export type Paint = (text: string, colour: ChartColour) => string;

const codes: Readonly<Record<ChartColour, number>> = {
  cyan: 36,
  yellow: 33,
  green: 32,
  red: 31,
  dim: 2,
};

/** Wraps text in SGR sequences (ECMA-48, 8.3.117). */
export const paintAnsi: Paint = (text, colour) =>
  text.trim() === "" ? text : `\u001B[${codes[colour]}m${text}\u001B[0m`;

/** Leaves text as it is: for files, pipes and `NO_COLOR`. */
export const paintNothing: Paint = (text) => text;

/** One quantity over time. */
export interface ChartLane {
  readonly title: string;
  /** What is said at the right of the title, e.g. `now 34`. */
  readonly current: string;
  readonly colour: ChartColour;
  /** One for each column, oldest first; undefined where nothing is known, which is drawn as a dot, never as 0. */
  readonly values: readonly (number | undefined)[];
  /** Columns to draw in red; the same length as `values`. */
  readonly isMarked: readonly boolean[];
  /** Rows without the title, at least 1. */
  readonly heightRows: number;
  /** The scale reaches from 0 to this, or to a rounder number above it when a value is larger. */
  readonly leastMaximum: number;
}

/** Width of the labels and the axis at the left, in characters. */
export const axisWidth = 6;

const blocks = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/** The smallest of 1, 2, 5, 10, 20, 50, … that is at least `value`. */
export function niceMaximum(value: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  const step = [1, 2, 5, 10].find((factor) => factor * magnitude >= value) ?? 10;
  return step * magnitude;
}

/** Joins neighbours of one colour before painting, so that a line carries few sequences. */
function paintCells(
  cells: readonly { readonly text: string; readonly colour: ChartColour }[],
  paint: Paint,
): string {
  const runs: { text: string; colour: ChartColour }[] = [];
  for (const { text, colour } of cells) {
    const last = runs.at(-1);
    if (last?.colour === colour) last.text += text;
    else runs.push({ text, colour });
  }
  return runs.map(({ text, colour }) => paint(text, colour)).join("");
}

/** A title line and the lane's rows, each at most `axisWidth` plus the number of values wide. Bars rise from 0 in eighths of a row. */
export function renderLane(lane: ChartLane, widthColumns: number, paint: Paint): readonly string[] {
  const known = lane.values.filter((value) => value !== undefined);
  const highest = Math.max(0, ...known);
  const maximum = highest <= lane.leastMaximum ? lane.leastMaximum : niceMaximum(highest);
  const space = widthColumns - lane.title.length - lane.current.length;
  const title = `${paint(lane.title, lane.colour)}${" ".repeat(Math.max(1, space))}${lane.current}`;
  const rows = Array.from({ length: lane.heightRows }, (_, index) => {
    const rowsBelow = lane.heightRows - 1 - index;
    const label = index === 0 ? String(maximum) : rowsBelow === 0 ? "0" : "";
    const axis = `${label.padStart(axisWidth - 2)} ${label === "" ? "│" : "┤"}`;
    const cells = lane.values.map((value, column) => ({
      text: cellText(value, maximum, lane.heightRows, rowsBelow),
      colour: lane.isMarked[column] === true ? ("red" as const) : lane.colour,
    }));
    return paint(axis, "dim") + paintCells(cells, paint).trimEnd();
  });
  return [title, ...rows];
}

function cellText(
  value: number | undefined,
  maximum: number,
  heightRows: number,
  rowsBelow: number,
): string {
  if (value === undefined) return rowsBelow === 0 ? "·" : " ";
  const eighths = Math.round((value / maximum) * heightRows * 8);
  // Something is never drawn as nothing.
  const visible = value > 0 ? Math.max(1, eighths) : 0;
  return blocks[Math.max(0, Math.min(8, visible - rowsBelow * 8))] ?? " ";
}

/** What happened in a column; the later ones hide the earlier ones. */
export type ChartMarker = "None" | "Burst" | "FailedRead";

const markerTexts = { None: "─", Burst: "▲", FailedRead: "×" } as const;
const markerColours = { None: "dim", Burst: "cyan", FailedRead: "red" } as const;

/** The time axis: markers on it, and below it the time (seconds since the start) at every tenth column. */
export function renderTimeAxis(
  markers: readonly ChartMarker[],
  startColumn: number,
  secondsPerColumn: number,
  paint: Paint,
): readonly string[] {
  const cells = markers.map((marker) => ({
    text: markerTexts[marker],
    colour: markerColours[marker],
  }));
  const axis = `${" ".repeat(axisWidth - 1)}${paint("└", "dim")}${paintCells(cells, paint)}`;
  let labels = " ".repeat(axisWidth);
  for (let column = 0; column < markers.length; column += 1) {
    if ((startColumn + column) % 10 !== 0 || labels.length > axisWidth + column) continue;
    const label = formatSeconds((startColumn + column) * secondsPerColumn);
    if (axisWidth + column + label.length > axisWidth + Math.max(markers.length, 10)) continue;
    labels = labels.padEnd(axisWidth + column) + label;
  }
  return [axis, paint(labels.trimEnd(), "dim")];
}

/** Minutes and seconds: `75` is `1:15`. Fractions of a second are cut off. */
export function formatSeconds(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
