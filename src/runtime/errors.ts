/**
 * Anything caught, as an Error: an Error stays itself, anything else becomes the message of one.
 */
export function errorFromUnknown(reason: unknown): Error {
  if (reason instanceof Error) return reason;
  return new Error(typeof reason === "string" ? reason : textOf(reason));
}

/** JSON where there is one; never throws, whatever was thrown (a circular object, a bigint, a symbol, nothing). */
function textOf(reason: unknown): string {
  try {
    // The declared type leaves out that some values have no JSON.
    const json = JSON.stringify(reason) as string | undefined;
    return json ?? String(reason);
  } catch {
    return Object.prototype.toString.call(reason);
  }
}

/**
 * The error and its causes, outermost first; at most eight, so that a circular chain ends. An AggregateError is followed through its first member.
 */
export function causeChain(error: Error): readonly Error[] {
  const chain: Error[] = [];
  let current: unknown = error;
  while (current instanceof Error && chain.length < 8 && !chain.includes(current)) {
    chain.push(current);
    const firstMember: unknown = current instanceof AggregateError ? current.errors[0] : undefined;
    current = current.cause ?? firstMember;
  }
  return chain;
}

/**
 * Node's error code (`ECONNREFUSED`, `ERR_TLS_CERT_ALTNAME_INVALID`, …): the first in the cause chain, or undefined when none carries one.
 */
export function errorCode(error: Error): string | undefined {
  for (const link of causeChain(error)) {
    if ("code" in link && typeof link.code === "string") return link.code;
  }
  return undefined;
}
