/**
 * RFC 3339 in UTC with whole seconds (`2026-01-01T00:00:00Z`), the canonical form of `metav1.Time`
 * (upstream: apimachinery `meta/v1/time.go`). Fractions are cut off, not rounded: a timestamp never lies in the future.
 *
 * @param timestampMs milliseconds since the Unix epoch
 */
export function rfc3339FromMs(timestampMs: number): string {
  return `${new Date(timestampMs).toISOString().slice(0, 19)}Z`;
}

/** The instant as the platform's own type, for libraries that ask for one. */
export function dateFromMs(timestampMs: number): Date {
  return new Date(timestampMs);
}

/** Milliseconds since the epoch of an RFC 3339 text; NaN when it is none. */
export function msFromRfc3339(text: string): number {
  return Date.parse(text);
}
