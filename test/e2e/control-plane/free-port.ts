import { createServer } from "node:net";

/**
 * A TCP port of 127.0.0.1 that was free a moment ago.
 *
 * Another process may take it before its user listens; then that user fails to start and says so.
 */
export async function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === "string") reject(new Error("no port was bound"));
        else resolve(address.port);
      });
    });
  });
}
