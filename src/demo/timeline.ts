/** What is known at one moment of the demo. */
export interface DemoSample {
  /** Jobs waiting or being worked on. */
  readonly queueDepth: number;
  /** The number of the last successful read; undefined while reads fail. */
  readonly signal: number | undefined;
  readonly replicas: number;
}

/** One column of the chart: the last sample of its stretch of time, and what happened in it. */
export interface DemoColumn extends DemoSample {
  readonly hasBurst: boolean;
  readonly hasFailedRead: boolean;
}

/** The demo's past in columns of equal length; the last one is still open. Keeps `limitColumns` of them. */
export class Timeline {
  readonly #columnMs: number;
  readonly #limitColumns: number;
  #columns: readonly DemoColumn[] = [];
  #firstIndex = 0;

  constructor(columnMs: number, limitColumns: number) {
    this.#columnMs = columnMs;
    this.#limitColumns = limitColumns;
  }

  /** Oldest first. */
  get columns(): readonly DemoColumn[] {
    return this.#columns;
  }

  /** How many columns lie before the first one kept. */
  get firstIndex(): number {
    return this.#firstIndex;
  }

  /** Puts a sample into the column of its time (milliseconds since the start); columns without a sample repeat the one before. */
  record(elapsedMs: number, sample: DemoSample, happened: Partial<DemoColumn> = {}): void {
    const index = Math.floor(elapsedMs / this.#columnMs);
    const fresh = { ...sample, hasBurst: false, hasFailedRead: false };
    const columns = [...this.#columns];
    while (this.#firstIndex + columns.length <= index) columns.push(fresh);
    const last = columns.at(-1) ?? fresh;
    columns[columns.length - 1] = {
      ...sample,
      hasBurst: last.hasBurst || happened.hasBurst === true,
      hasFailedRead: last.hasFailedRead || happened.hasFailedRead === true,
    };
    const surplus = Math.max(0, columns.length - this.#limitColumns);
    this.#firstIndex += surplus;
    this.#columns = columns.slice(surplus);
  }
}
