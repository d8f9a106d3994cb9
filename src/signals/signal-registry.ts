import { canonicalLabels } from "../model/labels.ts";
import type { Clock } from "../runtime/clock.ts";
import { emptySignalState } from "./evaluator.ts";
import { compileSignal } from "./signal-compiler.ts";
import { signalKey } from "./signal.ts";
import type { Evaluation } from "./evaluation.ts";
import type { SignalEvaluator, SignalState } from "./evaluator.ts";
import type { ReadingView } from "./reading-view.ts";
import type { SignalError } from "./signal-compiler.ts";
import type { SignalDefinition } from "./signal.ts";

/** A definition that was not accepted, with everything that is wrong with it. */
export interface SignalRefusal {
  readonly definition: SignalDefinition;
  readonly errors: readonly SignalError[];
}

/** Definitions after their check: those that can be committed, and those that cannot. What becomes of the former is the caller's decision. */
export interface PreparedSignals {
  readonly accepted: readonly SignalEvaluator[];
  readonly refused: readonly SignalRefusal[];
}

/** What a commit changed, by {@link signalKey}. */
export interface SignalDelta {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** A signal with its evaluation, as of a read. */
export interface ServedSignal {
  readonly definition: SignalDefinition;
  readonly evaluation: Evaluation;
}

/** Told of every evaluation; for metrics and logs. */
export interface EvaluationObserver {
  /** `durationMs` is the time that the evaluation took, milliseconds. */
  evaluated(evaluation: Evaluation, durationMs: number): void;
}

/** What a registry is built from. */
export interface SignalRegistryOptions {
  readonly readings: ReadingView;
  readonly clock: Clock;
  readonly observer?: EvaluationObserver;
}

interface Entry {
  readonly evaluator: SignalEvaluator;
  /** The definition as text: equal texts are equal definitions. */
  readonly fingerprint: string;
  state: SignalState;
  evaluation: Evaluation;
}

/**
 * The signals that are in force, with their state. Evaluated when a query that they read has an outcome, and at a read when the last answer
 * no longer stands by time alone; from memory in both cases, without a timer.
 */
export class SignalRegistry {
  readonly #options: SignalRegistryOptions;
  #entries = new Map<string, Entry>();
  #byMetric = new Map<string, Entry[]>();
  #byQuery = new Map<string, Entry[]>();

  constructor(options: SignalRegistryOptions) {
    this.#options = options;
  }

  /** Checks definitions against what they mean and against each other; changes nothing. Unchanged ones are not compiled again. */
  prepare(definitions: readonly SignalDefinition[]): PreparedSignals {
    const accepted: SignalEvaluator[] = [];
    const refused: SignalRefusal[] = [];
    const claims = new Map<string, string>();
    for (const definition of definitions) {
      const current = this.#entries.get(signalKey(definition));
      const compilation =
        current?.fingerprint === JSON.stringify(definition)
          ? { status: "compiled" as const, evaluator: current.evaluator }
          : compileSignal(definition);
      const conflicts = claimIdentity(definition, claims);
      if (compilation.status === "compiled" && conflicts.length === 0) {
        accepted.push(compilation.evaluator);
      } else {
        const errors = compilation.status === "rejected" ? compilation.errors : [];
        refused.push({ definition, errors: [...errors, ...conflicts] });
      }
    }
    return { accepted, refused };
  }

  /**
   * Puts exactly these signals in force. What did not change keeps its state and its answer; what is new or changed is evaluated at once, and starts
   * without state unless only what it answers while unavailable has changed: raising `holdSeconds` in an outage must not lose what is held.
   */
  apply(accepted: readonly SignalEvaluator[]): SignalDelta {
    const previous = this.#entries;
    const added: string[] = [];
    const changed: string[] = [];
    this.#entries = new Map();
    for (const evaluator of accepted) {
      const key = signalKey(evaluator.definition);
      const fingerprint = JSON.stringify(evaluator.definition);
      const kept = previous.get(key);
      if (kept?.fingerprint === fingerprint) {
        this.#entries.set(key, kept);
      } else {
        this.#entries.set(key, {
          evaluator,
          fingerprint,
          ...this.#step(evaluator, stateFor(evaluator, kept)),
        });
        (kept === undefined ? added : changed).push(key);
      }
    }
    this.#index();
    const removed = [...previous.keys()].filter((key) => !this.#entries.has(key));
    return { added, changed, removed };
  }

  /** Evaluates every signal that reads this query anew; no-op for a query that nobody reads. */
  onOutcome(queryKey: string): void {
    for (const entry of this.#byQuery.get(queryKey) ?? []) this.#refresh(entry);
  }

  /** The signal with this {@link signalKey} as of now; undefined when there is none. */
  served(key: string): ServedSignal | undefined {
    const entry = this.#entries.get(key);
    return entry && this.#current(entry, this.#options.clock.monotonic());
  }

  /** The signals behind a metric name of a namespace as of now, compared without case; undefined when the name is unknown there. */
  servedByMetric(namespace: string, metricName: string): readonly ServedSignal[] | undefined {
    const entries = this.#byMetric.get(metricKey(namespace, metricName));
    if (entries === undefined) return undefined;
    const nowMs = this.#options.clock.monotonic();
    return entries.map((entry) => this.#current(entry, nowMs));
  }

  /** Every signal as of now, in the order of the commit. */
  all(): readonly ServedSignal[] {
    const nowMs = this.#options.clock.monotonic();
    return [...this.#entries.values()].map((entry) => this.#current(entry, nowMs));
  }

  /** Every definition in force; evaluates nothing. */
  definitions(): readonly SignalDefinition[] {
    return [...this.#entries.values()].map(({ evaluator }) => evaluator.definition);
  }

  #index(): void {
    this.#byMetric = new Map();
    this.#byQuery = new Map();
    for (const entry of this.#entries.values()) {
      const { namespace, metricName, inputs } = entry.evaluator.definition;
      addTo(this.#byMetric, metricKey(namespace, metricName), entry);
      for (const queryKey of new Set(inputs.map((input) => input.queryKey))) {
        addTo(this.#byQuery, queryKey, entry);
      }
    }
  }

  #current(entry: Entry, nowMs: number): ServedSignal {
    if (nowMs >= entry.evaluation.outcome.validUntilMonotonicMs) this.#refresh(entry);
    return { definition: entry.evaluator.definition, evaluation: entry.evaluation };
  }

  #refresh(entry: Entry): void {
    const { state, evaluation } = this.#step(entry.evaluator, entry.state);
    entry.state = state;
    entry.evaluation = evaluation;
  }

  #step(evaluator: SignalEvaluator, state: SignalState): Pick<Entry, "state" | "evaluation"> {
    const { readings, clock, observer } = this.#options;
    const at = { wallMs: clock.now(), monotonicMs: clock.monotonic() };
    const inputs = evaluator.definition.inputs.map(({ queryKey, maxAgeMs }) =>
      readings.freshness(queryKey, maxAgeMs, at.monotonicMs),
    );
    const step = evaluator.evaluate(state, { at, inputs });
    observer?.evaluated(step.evaluation, clock.monotonic() - at.monotonicMs);
    return step;
  }
}

function stateFor({ definition }: SignalEvaluator, kept: Entry | undefined): SignalState {
  if (kept === undefined) return emptySignalState;
  const isSameValue = meaningOf(kept.evaluator.definition) === meaningOf(definition);
  return isSameValue ? kept.state : emptySignalState;
}

/** What a signal's value means, as text: everything but what is answered in its place. */
function meaningOf(definition: SignalDefinition): string {
  return JSON.stringify({ ...definition, onUnavailable: undefined });
}

/** Notes which signal has a name and which a metric; two signals may share neither, or an HPA would add the same thing up twice. */
function claimIdentity(
  definition: SignalDefinition,
  claims: Map<string, string>,
): readonly SignalError[] {
  const key = signalKey(definition);
  const { namespace, metricName, metricLabels } = definition;
  const metric = `metric ${metricKey(namespace, metricName)} ${canonicalLabels(metricLabels)}`;
  const errors: SignalError[] = [];
  if (claims.has(`signal ${key}`)) {
    errors.push({ path: ["metadata", "name"], message: `signal "${key}" is defined twice` });
  } else if (claims.has(metric)) {
    const message = `metric "${metricName}" with the same labels is that of signal "${claims.get(metric) ?? ""}"`;
    errors.push({ path: ["metric"], message });
  }
  if (!claims.has(metric)) claims.set(metric, key);
  claims.set(`signal ${key}`, key);
  return errors;
}

/** Key of a metric in a namespace; client-go lower-cases metric names. */
function metricKey(namespace: string, metricName: string): string {
  return `${namespace}/${metricName.toLowerCase()}`;
}

function addTo(index: Map<string, Entry[]>, key: string, entry: Entry): void {
  const entries = index.get(key);
  if (entries === undefined) index.set(key, [entry]);
  else entries.push(entry);
}
