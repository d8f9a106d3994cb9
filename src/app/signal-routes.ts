import {
  jsonAnswer,
  type OpsAnswer,
  type OpsRequest,
  type OpsRoute,
} from "../observability/ops-route.ts";
import { explainSignal } from "../signals/explain.ts";
import type { SignalRegistry } from "../signals/signal-registry.ts";
import { signalKey } from "../signals/signal.ts";

const path = "/api/v1/signals";

/**
 * `GET /api/v1/signals` lists every signal with its explanation, `GET /api/v1/signals/NAMESPACE/NAME` gives one. Values tell about other
 * teams' queues, so beyond loopback this must be enabled.
 */
export function signalRoute(
  signals: Pick<SignalRegistry, "all" | "served">,
  audience: OpsRoute["audience"],
): OpsRoute {
  return { path, audience, answer: (request) => answer(signals, request) };
}

function answer(signals: Pick<SignalRegistry, "all" | "served">, request: OpsRequest): OpsAnswer {
  const rest = request.path.slice(path.length).replace(/\/$/u, "");
  if (rest === "") return jsonAnswer(200, { items: signals.all().map(explainSignal) });
  const [namespace, name, ...more] = rest.slice(1).split("/").map(decoded);
  if (namespace === undefined || name === undefined || more.length > 0) {
    return jsonAnswer(404, { error: `expected ${path}/NAMESPACE/NAME` });
  }
  const served = signals.served(signalKey({ namespace, name }));
  if (served === undefined) return jsonAnswer(404, { error: `no signal ${namespace}/${name}` });
  return jsonAnswer(200, explainSignal(served));
}

/** The segment decoded once; one that is not valid percent-encoding names nothing and stays as it is. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
