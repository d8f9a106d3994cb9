import type { FrameSize } from "./frame.ts";

/** What the demo needs of the terminal. */
export interface Terminal {
  readonly write: (text: string) => void;
  /** Whether frames can be drawn over each other; else the output is read line by line. */
  readonly isInteractive: boolean;
  /** Whether colours are wanted (`NO_COLOR` is not set). */
  readonly hasColours: boolean;
  /** The present size. */
  readonly size: () => FrameSize;
  /** Calls the function for each key until the returned function is called; undefined where there is no keyboard. */
  readonly onKey: ((listener: (key: string) => void) => () => void) | undefined;
  /** Calls the function when the process ends, however it ends. */
  readonly onExit: (listener: () => void) => () => void;
}

// DEC private modes: 1049 alternate screen, 25 cursor, 2026 synchronized output (terminals without it ignore it).
const enter = "\u001B[?1049h\u001B[?25l\u001B[2J";
const leave = "\u001B[?25h\u001B[?1049l";
const beginUpdate = "\u001B[?2026h\u001B[H";
const endUpdate = "\u001B[J\u001B[?2026l";
const eraseLineEnd = "\u001B[K";

function visibleLength(line: string): number {
  // eslint-disable-next-line no-control-regex -- ESC starts the sequences that take no room
  return line.replace(/\u001B\[[\d;]*m/gu, "").length;
}

/** Draws frames on the alternate screen, each over the last without erasing first, so that nothing flickers. */
export class Screen {
  readonly #terminal: Terminal;
  #forgetExit: (() => void) | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Takes the screen; it is given back when the process ends, too. */
  open(): void {
    if (this.#forgetExit !== undefined) return;
    this.#terminal.write(enter);
    this.#forgetExit = this.#terminal.onExit(() => this.close());
  }

  /** Shows one frame. The last line may be longer than the screen is wide: it wraps. */
  draw(lines: readonly string[]): void {
    const { columns } = this.#terminal.size();
    // At the right edge the cursor waits on the last character, and erasing would take that.
    const erase = (line: string): string =>
      line !== "" && visibleLength(line) % columns === 0 ? "" : eraseLineEnd;
    const text = lines.map((line) => line + erase(line)).join("\r\n");
    this.#terminal.write(beginUpdate + text + endUpdate);
  }

  /** Gives the screen back as it was. Safe to call twice. */
  close(): void {
    if (this.#forgetExit === undefined) return;
    this.#forgetExit();
    this.#forgetExit = undefined;
    this.#terminal.write(leave);
  }
}
