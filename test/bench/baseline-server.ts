/* The floor: a bare node:https handler that answers the bytes which Leadline answers, with the same TLS settings and nothing else. */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";

const [caFile, certFile, keyFile] = process.argv.slice(2);
if (caFile === undefined || certFile === undefined || keyFile === undefined) {
  throw new Error("usage: baseline-server CA CERT KEY");
}
const body = Buffer.from(
  '{"kind":"ExternalMetricValueList","apiVersion":"external.metrics.k8s.io/v1beta1","metadata":{},"items":[{"metricName":"queue-0000","metricLabels":{},"timestamp":"2026-01-01T00:00:00Z","value":"1234"}]}\n',
);
const server = createServer(
  {
    ca: readFileSync(caFile),
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    requestCert: true,
    rejectUnauthorized: false,
    keepAliveTimeout: 120_000,
  },
  (_request, response) => {
    response.writeHead(200, {
      "content-type": "application/json",
      "cache-control": "no-cache, private",
      "content-length": body.length,
    });
    response.end(body);
  },
);
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ msg: "Serving", port })}\n`);
});
process.on("SIGTERM", () => {
  server.closeAllConnections();
  server.close();
});
