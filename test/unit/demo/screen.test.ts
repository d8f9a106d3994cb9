import { describe, expect, it } from "vitest";
import { Screen } from "../../../src/demo/screen.ts";
import type { Terminal } from "../../../src/demo/screen.ts";

function record() {
  const written: string[] = [];
  const exitListeners = new Set<() => void>();
  const terminal: Terminal = {
    write: (text) => written.push(text),
    isInteractive: true,
    hasColours: true,
    size: () => ({ columns: 10, rows: 5 }),
    onKey: undefined,
    onExit: (listener) => {
      exitListeners.add(listener);
      return () => exitListeners.delete(listener);
    },
  };
  return { written, exitListeners, screen: new Screen(terminal) };
}

describe("Screen", () => {
  it("draws over the last frame in one synchronized write, without erasing it first", () => {
    const { screen, written } = record();
    screen.open();
    written.length = 0;
    screen.draw(["one", "two"]);
    expect(written).toEqual([
      "\u001B[?2026h\u001B[Hone\u001B[K\r\ntwo\u001B[K\u001B[J\u001B[?2026l",
    ]);
  });

  it("does not erase behind a line that fills the width", () => {
    const { screen, written } = record();
    screen.draw(["\u001B[31m0123456789\u001B[0m", ""]);
    expect(written[0]).toContain("0123456789\u001B[0m\r\n\u001B[K");
  });

  it("gives the screen back once", () => {
    const { screen, written, exitListeners } = record();
    screen.open();
    screen.close();
    screen.close();
    expect(written.slice(1)).toEqual(["\u001B[?25h\u001B[?1049l"]);
    expect(exitListeners.size).toBe(0);
  });

  it("gives the screen back when the process ends without closing it", () => {
    const { screen, written, exitListeners } = record();
    screen.open();
    for (const listener of [...exitListeners]) listener();
    expect(written.at(-1)).toBe("\u001B[?25h\u001B[?1049l");
  });
});
