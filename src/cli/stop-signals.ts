/** Signals that ask a process to end. */
export type StopSignalName = "SIGTERM" | "SIGINT";

/** What this file needs of the process. */
export interface SignalSource {
  readonly onSignal: (name: StopSignalName, handler: () => void) => void;
  readonly exit: (code: number) => void;
}

/** Exit code of a process that a signal ended: 128 plus the signal's number (POSIX shells). */
const exitCodes: Readonly<Record<StopSignalName, number>> = { SIGTERM: 143, SIGINT: 130 };

/**
 * An AbortSignal that the first SIGTERM or SIGINT aborts, with the signal's name as the reason; the second one ends the process at once.
 * Nothing is listened to before `arm` is called, so that a command without anything to drain keeps Node's default.
 */
export interface StopSignals {
  readonly signal: AbortSignal;
  readonly arm: () => void;
}

/** Connects the process's signals to an AbortSignal. */
export function createStopSignals(source: SignalSource): StopSignals {
  const controller = new AbortController();
  let isArmed = false;
  const arm = (): void => {
    if (isArmed) return;
    isArmed = true;
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      source.onSignal(name, () => {
        if (controller.signal.aborted) source.exit(exitCodes[name]);
        else controller.abort(name);
      });
    }
  };
  return { signal: controller.signal, arm };
}
