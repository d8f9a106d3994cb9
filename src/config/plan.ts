import type { InputDefinition, OnUnavailable, SignalDefinition } from "../signals/signal.ts";
import type { ConnectionOptions } from "../sources/registry.ts";
import type { Query } from "../sources/source.ts";
import type { ConnectionKind } from "../sources/source-type.ts";
import { pollingPlan, sourceOf } from "./input-plan.ts";
import { metricNameOf } from "./metric-rules.ts";
import { parseQuantity } from "./quantity.ts";
import { redisOptions } from "./redis-options.ts";
import type {
  ConnectionConfig,
  InputConfig,
  OpsConfig,
  ServerConfig,
  SignalConfig,
} from "./schema.ts";
import type { SecretSources } from "./secrets.ts";

/** One distinct thing to poll, however many inputs read it. */
export interface QueryPlan {
  /** `CONNECTION/SOURCE/KEY`: identity in the store, unique over all connections, stable over restarts and reloads. */
  readonly queryKey: string;
  readonly query: Query;
  /** Time between two polls, milliseconds: the smallest that any input asks for. */
  readonly intervalMs: number;
  /** Longest time that one poll may take, milliseconds: the smallest that any input allows, whose age limit may count on it. */
  readonly timeoutMs: number;
  /** Whether any input takes a thing that does not exist for an empty one. */
  readonly allowsMissing: boolean;
}

/** A connection of the file with everything that the file's signals read over it. */
export interface ConnectionPlan {
  readonly name: string;
  readonly kind: ConnectionKind;
  /** Changes exactly when the options of the connection do; holds references, never a secret. */
  readonly identity: string;
  /** What the client needs; secrets are functions that read them. */
  readonly options: ConnectionOptions;
  /** Which namespaces' ScalingSignals may read what. */
  readonly allow: ConnectionConfig["allow"];
  readonly queries: readonly QueryPlan[];
}

/** An accepted configuration: complete, checked, every default filled in that does not depend on flags. */
export interface Configuration {
  readonly server: ServerConfig;
  readonly ops: OpsConfig;
  readonly connections: readonly ConnectionPlan[];
  readonly signals: readonly SignalDefinition[];
}

/** The parts of a file that was found acceptable. */
export interface AcceptedConfig {
  readonly server: ServerConfig;
  readonly ops: OpsConfig;
  readonly connections: readonly ConnectionConfig[];
  readonly signals: readonly SignalConfig[];
}

/** Derives what runs from what is written. Pure but for the secrets, which are read later. */
export function planConfiguration(config: AcceptedConfig, sources: SecretSources): Configuration {
  const connections = new Map(config.connections.map((each) => [each.name, each]));
  const queries = new Map<string, QueryPlan>();
  const owners = new Map<string, string[]>();
  const signals = config.signals.map((signal) => {
    const inputs = signal.spec.inputs.map((input) => {
      const planned = planInput(input, connections);
      const { connectionName, query } = planned;
      const known = queries.get(query.queryKey);
      if (known === undefined) {
        owners.set(connectionName, [...(owners.get(connectionName) ?? []), query.queryKey]);
      }
      queries.set(query.queryKey, known === undefined ? query : joinQueries(known, query));
      return planned.definition;
    });
    return planSignal(signal, inputs);
  });
  return {
    server: config.server,
    ops: config.ops,
    connections: config.connections.map((connection) =>
      planConnection(
        connection,
        (owners.get(connection.name) ?? []).flatMap((key) => queries.get(key) ?? []),
        sources,
      ),
    ),
    signals,
  };
}

function joinQueries(a: QueryPlan, b: QueryPlan): QueryPlan {
  return {
    ...a,
    intervalMs: Math.min(a.intervalMs, b.intervalMs),
    timeoutMs: Math.min(a.timeoutMs, b.timeoutMs),
    allowsMissing: a.allowsMissing || b.allowsMissing,
  };
}

interface PlannedInput {
  readonly connectionName: string;
  readonly query: QueryPlan;
  readonly definition: InputDefinition;
}

function planInput(
  config: InputConfig,
  connections: ReadonlyMap<string, ConnectionConfig>,
): PlannedInput {
  const source = sourceOf(config);
  const connection = connections.get(source?.input.connectionRef.name ?? "");
  if (source === undefined || connection === undefined) {
    throw new Error(`input "${config.name}" was accepted without a source or connection`);
  }
  const { type, typeName, input } = source;
  const query = type.query(input);
  const allowsMissing = input.allowMissing;
  const { intervalMs, timeoutMs, maxAgeMs } = pollingPlan(source, connection.polling);
  const queryKey = `${connection.name}/${typeName}/${query.key}`;
  return {
    connectionName: connection.name,
    query: { queryKey, query, intervalMs, timeoutMs, allowsMissing },
    definition: {
      name: config.name,
      queryKey,
      connectionIdentity: identityOf(connection),
      description: `${typeName} ${query.description} on connection "${connection.name}"`,
      maxAgeMs,
      fields: type.fields,
      ...(allowsMissing && { missingFields: type.missingFields }),
    },
  };
}

function planSignal(config: SignalConfig, inputs: readonly InputDefinition[]): SignalDefinition {
  const { metadata, spec } = config;
  const minimum = quantityOf(spec.modifiers.minimum);
  const maximum = quantityOf(spec.modifiers.maximum);
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    metricName: metricNameOf(config),
    metricLabels: spec.metric.labels,
    inputs,
    value: { expression: needed(spec.value.expression) },
    modifiers: {
      ...(minimum !== undefined && { minimum }),
      ...(maximum !== undefined && { maximum }),
    },
    onUnavailable: planOnUnavailable(spec.onUnavailable),
  };
}

function planOnUnavailable(config: SignalConfig["spec"]["onUnavailable"]): OnUnavailable {
  switch (config.policy) {
    case "Error":
      return { policy: "Error" };
    case "Hold":
      return { policy: "Hold", holdMs: needed(config.holdSeconds) * 1000 };
    case "Value":
      return { policy: "Value", value: needed(quantityOf(config.value)) };
  }
}

function quantityOf(written: string | number | undefined): number | undefined {
  return written === undefined ? undefined : parseQuantity(String(written));
}

/** A value that the checks before have made sure of. */
function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a configuration was accepted that lacks a value");
  return value;
}

function planConnection(
  config: ConnectionConfig,
  queries: readonly QueryPlan[],
  sources: SecretSources,
): ConnectionPlan {
  const redis = needed(config.redis);
  return {
    name: config.name,
    kind: "redis",
    identity: identityOf(config),
    options: { redis: redisOptions(config.name, redis, sources) },
    allow: config.allow,
    queries,
  };
}

/** The options of a connection as text: equal texts lead to the same server in the same way. Holds references, never a secret. */
function identityOf({ redis }: ConnectionConfig): string {
  return JSON.stringify({ redis });
}
