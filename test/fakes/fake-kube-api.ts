import { createServer } from "node:https";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createAuthority } from "../../src/certificates/authority.ts";
import type { KeyPair } from "../../src/certificates/authority.ts";

/** What a request meets instead of an answer. */
export type Fault = "500" | "429" | "reset" | "hang" | "garbage";
export type Call = "tokenReview" | "subjectAccessReview" | "configMap" | "watch";

/** One request as it arrived. */
export interface RecordedCall {
  readonly call: Call;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly spec: unknown;
}

interface User {
  readonly username: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

const configMapPath = "/api/v1/namespaces/kube-system/configmaps";
const fieldSelector = "metadata.name=extension-apiserver-authentication";
const hour = 3_600_000;

/** The four calls of kube-apiserver that delegated authentication and authorization make, over TLS, with faults on demand. */
export class FakeKubeApi {
  /** Bearer tokens that TokenReview accepts. */
  readonly users = new Map<string, User>();
  /** Decides a SubjectAccessReview; default: nobody has an opinion. */
  review: (spec: Record<string, unknown>) => Record<string, unknown> = () => ({ allowed: false });
  /** Tokens that may call this server. */
  readonly callers = new Set(["leadline-token"]);
  readonly calls: RecordedCall[] = [];
  readonly certificatePem: string;
  /** While set, TokenReview and SubjectAccessReview wait for it. */
  gate: Promise<void> | undefined;

  readonly #keys: KeyPair;
  readonly #faults = new Map<Call, { readonly fault: Fault; left: number }>();
  readonly #watchers = new Set<ServerResponse>();
  #configMap: Readonly<Record<string, string>> | undefined;
  #resourceVersion = 100;
  #server: Server | undefined;
  #port = 0;

  private constructor(certificatePem: string, keys: KeyPair) {
    this.certificatePem = certificatePem;
    this.#keys = keys;
  }

  static async create(): Promise<FakeKubeApi> {
    const nowMs = Date.now();
    const validity = { notBeforeMs: nowMs - hour, notAfterMs: nowMs + hour };
    const authority = await createAuthority({ commonName: "fake-kube-api-ca", ...validity });
    const keys = await authority.issue({
      commonName: "kube-apiserver",
      ipAddresses: ["127.0.0.1"],
      usages: ["ServerAuth"],
      ...validity,
    });
    return new FakeKubeApi(authority.certificatePem, keys);
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  /** A kubeconfig (JSON, which is YAML) for this server; `user` replaces the token. */
  kubeconfig(user: Record<string, unknown> = { token: "leadline-token" }): string {
    const ca = Buffer.from(this.certificatePem).toString("base64");
    return JSON.stringify({
      "current-context": "fake",
      contexts: [{ name: "fake", context: { cluster: "fake", user: "fake" } }],
      clusters: [{ name: "fake", cluster: { server: this.url, "certificate-authority-data": ca } }],
      users: [{ name: "fake", user }],
    });
  }

  /** Listens, on the port it had before if there was one. */
  async start(): Promise<void> {
    const { certificatePem: cert, privateKeyPem: key } = this.#keys;
    const server = createServer({ cert, key }, (request, response) => {
      void this.#handle(request, response);
    });
    await new Promise<void>((resolve) => {
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Goes away: every connection breaks. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    this.#watchers.clear();
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** The next `times` calls of this kind meet the fault. */
  fail(call: Call, fault: Fault, times = Number.POSITIVE_INFINITY): void {
    this.#faults.set(call, { fault, left: times });
  }

  heal(): void {
    this.#faults.clear();
  }

  count(call: Call): number {
    return this.calls.filter((recorded) => recorded.call === call).length;
  }

  get openWatches(): number {
    return this.#watchers.size;
  }

  /** Creates, changes or (undefined) deletes the ConfigMap and tells the watchers. */
  setConfigMap(data: Readonly<Record<string, string>> | undefined): void {
    const before = this.#configMap;
    this.#configMap = data;
    this.#resourceVersion += 1;
    const type = data === undefined ? "DELETED" : before === undefined ? "ADDED" : "MODIFIED";
    for (const watcher of this.#watchers) this.#sendEvent(watcher, type, data ?? before ?? {});
  }

  /** Sends every watcher one raw line. */
  sendLine(line: string): void {
    for (const watcher of this.#watchers) watcher.write(line);
  }

  endWatches(): void {
    for (const watcher of this.#watchers) watcher.end();
    this.#watchers.clear();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const url = request.url ?? "";
    const call = callOf(request);
    const spec = body === undefined ? undefined : (JSON.parse(body) as { spec: unknown }).spec;
    if (call === undefined) {
      respond(response, 404, status(404, `no route ${url}`));
      return;
    }
    this.calls.push({ call, url, headers: request.headers, spec });
    if (this.#meetsFault(call, response)) return;
    const token = request.headers.authorization?.replace(/^Bearer /u, "");
    if (token === undefined || !this.callers.has(token)) {
      respond(response, 401, status(401, "Unauthorized"));
      return;
    }
    await this.#reply(call, response, spec);
  }

  async #reply(call: Call, response: ServerResponse, spec: unknown): Promise<void> {
    switch (call) {
      case "watch":
        this.#watch(response);
        break;
      case "configMap":
        respond(response, 200, this.#list());
        break;
      case "tokenReview":
        await this.gate;
        this.#reviewToken(response, spec as { token: string });
        break;
      case "subjectAccessReview":
        await this.gate;
        this.#reviewAccess(response, spec as Record<string, unknown>);
        break;
    }
  }

  #reviewAccess(response: ServerResponse, spec: Record<string, unknown>): void {
    const review = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview" };
    respond(response, 201, { ...review, metadata: {}, spec, status: this.review(spec) });
  }

  #meetsFault(call: Call, response: ServerResponse): boolean {
    const planned = this.#faults.get(call);
    if (planned === undefined || planned.left <= 0) return false;
    planned.left -= 1;
    switch (planned.fault) {
      case "500":
        respond(response, 500, status(500, "etcd is away"));
        break;
      case "429":
        respond(response, 429, status(429, "too many requests"));
        break;
      case "reset":
        response.socket?.destroy();
        break;
      case "garbage":
        response.writeHead(200, { "content-type": "application/json" }).end("<html>");
        break;
      case "hang":
        break;
    }
    return true;
  }

  #reviewToken(response: ServerResponse, spec: { readonly token: string }): void {
    const user = this.users.get(spec.token);
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", metadata: {} };
    respond(response, 201, {
      ...review,
      spec,
      status:
        user === undefined
          ? { user: {}, error: "[invalid bearer token]" }
          : { authenticated: true, user },
    });
  }

  #list(): unknown {
    const items = this.#configMap === undefined ? [] : [this.#object(this.#configMap)];
    const metadata = { resourceVersion: String(this.#resourceVersion) };
    return { kind: "ConfigMapList", apiVersion: "v1", metadata, items };
  }

  #object(data: Readonly<Record<string, string>>): unknown {
    const name = "extension-apiserver-authentication";
    const resourceVersion = String(this.#resourceVersion);
    const metadata = { name, namespace: "kube-system", resourceVersion };
    return { kind: "ConfigMap", apiVersion: "v1", metadata, data };
  }

  #watch(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    this.#watchers.add(response);
    response.on("close", () => this.#watchers.delete(response));
  }

  #sendEvent(watcher: ServerResponse, type: string, data: Readonly<Record<string, string>>): void {
    const line = `${JSON.stringify({ type, object: this.#object(data) })}\n`;
    // In two pieces: a client must not take chunks for lines.
    watcher.write(line.slice(0, 40));
    watcher.write(line.slice(40));
  }
}

function callOf({ method, url = "" }: IncomingMessage): Call | undefined {
  if (method === "POST" && url === "/apis/authentication.k8s.io/v1/tokenreviews") {
    return "tokenReview";
  }
  if (method === "POST" && url === "/apis/authorization.k8s.io/v1/subjectaccessreviews") {
    return "subjectAccessReview";
  }
  const { pathname, searchParams } = new URL(url, "https://fake");
  // What RBAC allows ends at the one object, so a request without its name would be forbidden.
  const isAllowed = method === "GET" && searchParams.get("fieldSelector") === fieldSelector;
  if (!isAllowed || pathname !== configMapPath) return undefined;
  return searchParams.get("watch") === "true" ? "watch" : "configMap";
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? undefined : Buffer.concat(chunks).toString();
}

function status(code: number, message: string): unknown {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code };
}

function respond(response: ServerResponse, statusCode: number, body: unknown): void {
  response.writeHead(statusCode, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}
