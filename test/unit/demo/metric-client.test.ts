import { createServer } from "node:https";
import type { Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { createAuthority } from "../../../src/certificates/authority.ts";
import type { KeyPair } from "../../../src/certificates/authority.ts";
import { readExternalMetric } from "../../../src/demo/metric-client.ts";
import { demoMetricPath } from "../../../src/demo/scenario.ts";
import { systemClock } from "../../../src/runtime/clock.ts";

let caPem: string;
let otherCaPem: string;
let serving: KeyPair;
let server: Server | undefined;

beforeAll(async () => {
  const validity = { notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 600_000 };
  const authority = await createAuthority({ commonName: "ca", ...validity });
  caPem = authority.certificatePem;
  otherCaPem = (await createAuthority({ commonName: "other", ...validity })).certificatePem;
  serving = await authority.issue({
    ...{ commonName: "server", ipAddresses: ["127.0.0.1"], usages: ["ServerAuth"], ...validity },
  });
});

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) =>
    server === undefined ? resolve(undefined) : server.close(resolve),
  );
  server = undefined;
});

/** Serves one answer over HTTPS and returns the URL to ask. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const listener = createServer(
    { cert: serving.certificatePem, key: serving.privateKeyPem },
    answer,
  );
  server = listener;
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return `https://127.0.0.1:${(listener.address() as AddressInfo).port}${demoMetricPath}`;
}
const answering = (statusCode: number, body: unknown) =>
  serve((_request, response) => {
    response.writeHead(statusCode, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
const read = (url: string, ca = caPem, timeoutMs = 5000, signal = new AbortController().signal) =>
  readExternalMetric({ url, caPem: ca, timeoutMs, clock: systemClock }, signal);

describe("readExternalMetric", () => {
  it("asks the HPA's own URL and gives the value of every item", async () => {
    let asked: string | undefined;
    const url = await serve((request, response) => {
      asked = request.url;
      response.end(JSON.stringify({ items: [{ value: "1500m" }, { value: "2" }] }));
    });
    expect(await read(url)).toEqual({ outcome: "values", values: ["1500m", "2"] });
    expect(asked).toBe(
      "/apis/external.metrics.k8s.io/v1beta1/namespaces/demo/workers?labelSelector=queue%3Djobs",
    );
  });

  it.each([
    [
      "the message of a Status",
      503,
      { kind: "Status", message: "input jobs is stale" },
      "input jobs is stale",
    ],
    [
      "that a refusal is no Status",
      502,
      "<html>bad gateway</html>",
      'an error on the server ("<html>bad gateway</html>") has prevented the request from succeeding',
    ],
    ["that the answer is no list", 200, "{}", "the answer is no ExternalMetricValueList"],
    ["that the answer is no JSON", 200, "nonsense", "the answer is no ExternalMetricValueList"],
    [
      "that an item has no value",
      200,
      { items: [{ value: "1" }, { metricName: "workers" }] },
      "an item of the answer has no value",
    ],
    ["that the answer is endless", 200, "x".repeat(2 * 1024 * 1024), "the answer is too long"],
  ])("gives %s as the reason", async (_what, statusCode, body, message) => {
    const url = await answering(statusCode, body);
    expect(await read(url)).toEqual({ outcome: "failed", message });
  });

  it("believes no other authority", async () => {
    const url = await answering(200, { items: [] });
    expect(await read(url, otherCaPem)).toMatchObject({
      outcome: "failed",
      message: expect.stringMatching(/certificate|issuer/) as string,
    });
  });

  it("gives up after its time limit", async () => {
    const url = await serve(() => undefined);
    expect(await read(url, caPem, 50)).toEqual({
      outcome: "failed",
      message: "no answer within 50 ms",
    });
  });

  it("says that nobody listens", async () => {
    const url = await answering(200, { items: [] });
    await new Promise((resolve) => server?.close(resolve));
    server = undefined;
    expect(await read(url)).toMatchObject({
      outcome: "failed",
      message: expect.stringContaining("ECONNREFUSED") as string,
    });
  });

  it("rejects when the caller aborts", async () => {
    const stop = new AbortController();
    const url = await serve(() => stop.abort(new Error("over")));
    await expect(read(url, caPem, 5000, stop.signal)).rejects.toThrow("over");
  });
});
