import type { Terminal } from "./screen.ts";

/** The terminal that this process writes to, and its keyboard when both ends are terminals. */
export function createTerminal(wantsColours: boolean): Terminal {
  const { stdin, stdout } = process;
  const onKey = (listener: (key: string) => void): (() => void) => {
    const onData = (data: Buffer): void => {
      for (const key of data.toString("utf8")) listener(key);
    };
    stdin.setRawMode(true);
    stdin.on("data", onData);
    stdin.resume();
    return () => {
      stdin.off("data", onData);
      stdin.setRawMode(false);
      stdin.pause();
    };
  };
  return {
    write: (text) => void stdout.write(text),
    isInteractive: stdout.isTTY,
    hasColours: wantsColours,
    size: () => ({ columns: stdout.columns, rows: stdout.rows }),
    onKey: stdin.isTTY && stdout.isTTY ? onKey : undefined,
    onExit: (listener) => {
      process.once("exit", listener);
      return () => process.off("exit", listener);
    },
  };
}
