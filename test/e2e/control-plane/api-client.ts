import { Agent, request } from "node:https";
import type { IncomingHttpHeaders } from "node:http";
import type { Credentials } from "./kubeconfig.ts";

/** How to reach a server and who to be there. */
export interface ApiClientOptions {
  /** Base URL, `https://127.0.0.1:6443`. */
  readonly server: string;
  readonly authorityPem: string;
  /** Name to ask for and to verify; default: the URL's host. */
  readonly serverName?: string;
  /** Default: nobody. */
  readonly credentials?: Credentials;
}

/** One request; a header may have several values. */
export interface ApiRequest {
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: unknown;
  /** Default 10 s. */
  readonly timeoutMs?: number;
}

/** What came back. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A bare HTTPS client of an API server: no retries and no caches, so that a test sees what the server really answers. */
export class ApiClient {
  readonly #options: ApiClientOptions;
  readonly #agent: Agent;

  constructor(options: ApiClientOptions) {
    this.#options = options;
    const { credentials } = options;
    const certificate =
      credentials !== undefined && "certificatePem" in credentials
        ? { cert: credentials.certificatePem, key: credentials.privateKeyPem }
        : {};
    this.#agent = new Agent({
      keepAlive: true,
      ca: options.authorityPem,
      ...(options.serverName === undefined ? {} : { servername: options.serverName }),
      ...certificate,
    });
  }

  /** Sends one request. Rejects when no whole answer comes: refused, reset, timed out, certificate not trusted. */
  async send(spec: ApiRequest): Promise<ApiResponse> {
    const { credentials } = this.#options;
    const body = spec.body === undefined ? undefined : JSON.stringify(spec.body);
    const headers: Record<string, string | string[]> = { accept: "application/json" };
    if (credentials !== undefined && "token" in credentials) {
      headers["authorization"] = `Bearer ${credentials.token}`;
    }
    if (body !== undefined) headers["content-type"] = "application/json";
    for (const [name, value] of Object.entries(spec.headers ?? {})) {
      headers[name] = typeof value === "string" ? value : [...value];
    }
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(spec.path, this.#options.server),
        {
          agent: this.#agent,
          method: spec.method ?? "GET",
          headers,
          timeout: spec.timeoutMs ?? 10_000,
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.once("error", reject);
          incoming.once("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text });
          });
        },
      );
      outgoing.once("timeout", () => outgoing.destroy(new Error(`no answer to ${spec.path}`)));
      outgoing.once("error", reject);
      outgoing.end(body);
    });
  }

  /** GET of a JSON document; rejects on any status but 200. */
  async get<Document>(path: string): Promise<Document> {
    const response = await this.send({ path });
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${response.text}`);
    return JSON.parse(response.text) as Document; // the caller names the Kubernetes type that the path has
  }

  /** Closes kept connections. */
  async stop(): Promise<void> {
    this.#agent.destroy();
    return Promise.resolve();
  }
}
