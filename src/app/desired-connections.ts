import type { Configuration } from "../config/plan.ts";
import type { DesiredConnection } from "../poller/desired-connection.ts";
import { createSource, type SourceDependencies } from "../sources/registry.ts";

/** What the pollers are to do for a configuration. A connection that nobody reads is not polled and costs nothing. */
export function desiredConnections(
  configuration: Configuration,
  dependencies: SourceDependencies,
): readonly DesiredConnection[] {
  return configuration.connections
    .filter(({ queries }) => queries.length > 0)
    .map(({ name, identity, options, queries }) => ({
      name,
      identity,
      createSource: () => createSource(options, dependencies),
      queries,
    }));
}
