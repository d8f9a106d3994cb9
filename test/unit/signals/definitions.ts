import type { InputDefinition, SignalDefinition } from "../../../src/signals/signal.ts";

/** An input over a query named after it, with a limit of 18 s. */
export function inputDefinition(changes: Partial<InputDefinition> = {}): InputDefinition {
  return {
    name: "jobs",
    queryKey: "events/jobs",
    connectionIdentity: "events-1",
    description: 'bullmq queue "orders" on connection "events"',
    maxAgeMs: 18_000,
    fields: ["waiting", "active"],
    ...changes,
  };
}

/** A signal that serves one field of one input. */
export function signalDefinition(changes: Partial<SignalDefinition> = {}): SignalDefinition {
  return {
    namespace: "shop",
    name: "orders",
    metricName: "orders_waiting",
    metricLabels: {},
    inputs: [inputDefinition()],
    value: { expression: "jobs.waiting" },
    modifiers: {},
    onUnavailable: { policy: "Error" },
    ...changes,
  };
}
