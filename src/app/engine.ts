import type { ConfigSubscriber, Preparation } from "../config/coordinator.ts";
import type { Configuration } from "../config/plan.ts";
import { PollerManager } from "../poller/manager.ts";
import { createPollerMetrics } from "../poller/metrics.ts";
import { PollLog } from "../poller/poll-log.ts";
import { combineObservers } from "../poller/poll-observer.ts";
import { createSignalMetrics } from "../signals/metrics.ts";
import { SignalMetricsProvider } from "../signals/provider.ts";
import { SignalRegistry } from "../signals/signal-registry.ts";
import { signalKey } from "../signals/signal.ts";
import { createStoreMetrics } from "../store/metrics.ts";
import { ReadingStore } from "../store/reading-store.ts";
import type { ProcessDependencies } from "./dependencies.ts";
import { desiredConnections } from "./desired-connections.ts";

/** From the queues to the answers: pollers, store, signals, provider, joined. */
export interface Engine {
  readonly pollers: PollerManager;
  readonly signals: SignalRegistry;
  readonly provider: SignalMetricsProvider;
  /** Takes configurations over: prepares both halves, then commits both. */
  readonly subscriber: ConfigSubscriber;
}

/** Joins the stations; nothing is polled before `pollers.start`. */
export function createEngine(dependencies: ProcessDependencies): Engine {
  const { clock, random, logger, registry } = dependencies;
  const store = new ReadingStore();
  createStoreMetrics(registry, () => store.size());
  const metrics = createPollerMetrics(registry, clock);
  const signals: SignalRegistry = new SignalRegistry({
    readings: store,
    clock,
    observer: createSignalMetrics(registry, () => signals.all()),
  });
  const pollers = new PollerManager({
    clock,
    random,
    store,
    observer: combineObservers(metrics, new PollLog(logger, clock)),
    onOutcome: (queryKey) => signals.onOutcome(queryKey),
  });
  metrics.readSummaries(() => pollers.summaries());
  const provider = new SignalMetricsProvider(signals);
  const prepare = (next: Configuration): Promise<Preparation> =>
    prepareEngine(next, { pollers, signals }, dependencies);
  return { pollers, signals, provider, subscriber: { name: "engine", prepare } };
}

async function prepareEngine(
  next: Configuration,
  { pollers, signals }: Pick<Engine, "pollers" | "signals">,
  dependencies: ProcessDependencies,
): Promise<Preparation> {
  const { accepted, refused } = signals.prepare(next.signals);
  if (refused.length > 0) {
    const reasons = refused.flatMap(({ definition, errors }) =>
      errors.map(({ message }) => `signal ${signalKey(definition)}: ${message}`),
    );
    return { status: "refused", reason: reasons.join("; ") };
  }
  const polling = await pollers.prepare(desiredConnections(next, dependencies));
  return {
    status: "prepared",
    commit: () => {
      // Polling first: it forgets what was read from servers that are replaced, and a signal that starts anew looks at once.
      polling.commit();
      signals.apply(accepted);
    },
    discard: () => void polling.discard(),
  };
}
