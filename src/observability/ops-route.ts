/** A read of the ops port, taken apart. */
export interface OpsRequest {
  /** The path as it was sent, still percent-encoded, without the query: `/api/v1/signals/vlm/worker`. */
  readonly path: string;
  readonly parameters: URLSearchParams;
}

/** What the ops port answers. */
export interface OpsAnswer {
  /** HTTP code. */
  readonly code: number;
  readonly contentType: string;
  readonly body: string;
}

/** A part of the ops port that somebody else answers. */
export interface OpsRoute {
  /** Paths that it answers: this one, and those below it. No slash at the end. */
  readonly path: string;
  /**
   * Who may read it. `Loopback`: requests from this host to a loopback name alone, which is also where a port-forward comes from;
   * others get 403. `Everyone`: whoever reaches the port, which has no authentication.
   */
  readonly audience: "Loopback" | "Everyone";
  /** Answers a GET; HEAD gets the same without the body. A throw or rejection is a 500 without its text. */
  answer(request: OpsRequest): OpsAnswer | Promise<OpsAnswer>;
}

/** An answer in JSON with a line feed at the end. */
export function jsonAnswer(code: number, value: unknown): OpsAnswer {
  return { code, contentType: "application/json", body: `${JSON.stringify(value)}\n` };
}

/** An answer in plain text. */
export function textAnswer(code: number, body: string): OpsAnswer {
  return { code, contentType: "text/plain; charset=utf-8", body };
}
