/* A load generator in a process of its own: raw TLS sockets and no HTTP library, so that what is measured is the server. */
import { readFileSync } from "node:fs";
import { connect, type TLSSocket } from "node:tls";

/** What to send, how often, for how long. */
export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  readonly serverName: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** Request paths; taken in turn. */
  readonly paths: readonly string[];
  readonly headers: readonly (readonly [string, string])[];
  readonly connections: number;
  /** Open loop at this rate; closed loop when absent. */
  readonly readsPerSecond?: number;
  readonly durationMs: number;
  /** Records every answer for checking, not only its latency. */
  readonly keepsAnswers: boolean;
}

/** One checked read. */
export interface Answer {
  readonly path: string;
  readonly sentMs: number;
  readonly receivedMs: number;
  readonly code: number;
  readonly value: string | null;
  readonly timestamp: string | null;
}

/** What the run gave. Latencies in milliseconds, from the planned start of a read in the open loop. */
export interface LoadResult {
  readonly reads: number;
  readonly failed: number;
  readonly readsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly answers: readonly Answer[];
}

interface Connection {
  readonly read: (path: string) => Promise<{ code: number; body: string }>;
  readonly close: () => void;
}

function open(options: LoadOptions, index: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({
      host: options.host,
      port: options.port,
      servername: options.serverName,
      ca: readFileSync(options.caFile),
      cert: readFileSync(options.certFile),
      key: readFileSync(options.keyFile),
    });
    let buffered = "";
    let settle: ((answer: { code: number; body: string }) => void) | undefined;
    let fail: ((error: Error) => void) | undefined;
    const headerText = options.headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    socket.setNoDelay(true);
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      buffered += chunk;
      const end = buffered.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = buffered.slice(0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
      if (Number.isNaN(length)) {
        fail?.(new Error(`no content-length in ${head}`));
        return;
      }
      if (buffered.length < end + 4 + length) return;
      const body = buffered.slice(end + 4, end + 4 + length);
      buffered = buffered.slice(end + 4 + length);
      settle?.({ code: Number(head.slice(9, 12)), body });
    });
    socket.once("error", (error: Error) => {
      fail?.(error);
      reject(error);
    });
    socket.once("close", () => fail?.(new Error(`connection ${index} closed`)));
    socket.once("secureConnect", () =>
      resolve({
        read: (path) =>
          new Promise((resolveRead, rejectRead) => {
            settle = resolveRead;
            fail = rejectRead;
            socket.write(
              `GET ${path} HTTP/1.1\r\nHost: ${options.serverName}\r\n${headerText}\r\n`,
            );
          }),
        close: () => socket.destroy(),
      }),
    );
  });
}

const percentile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

/** Runs the load and sums it up. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const connections = await Promise.all(
    Array.from({ length: options.connections }, (_, index) => open(options, index)),
  );
  const latencies: number[] = [];
  const answers: Answer[] = [];
  let failed = 0;
  let next = 0;
  const began = performance.now();
  const until = began + options.durationMs;
  const readOne = async (connection: Connection, plannedMs: number): Promise<void> => {
    const path = options.paths[next++ % options.paths.length]!;
    const sentMs = Date.now();
    const answer = await connection.read(path);
    latencies.push(performance.now() - plannedMs);
    if (answer.code !== 200) failed += 1;
    if (options.keepsAnswers) {
      const parsed = JSON.parse(answer.body) as { items?: { value: string; timestamp: string }[] };
      const item = parsed.items?.[0];
      answers.push({
        path,
        sentMs,
        receivedMs: Date.now(),
        code: answer.code,
        value: item?.value ?? null,
        timestamp: item?.timestamp ?? null,
      });
    }
  };
  const gapMs = options.readsPerSecond === undefined ? undefined : 1000 / options.readsPerSecond;
  let planned = began;
  const worker = async (connection: Connection): Promise<void> => {
    while (performance.now() < until) {
      if (gapMs === undefined) {
        await readOne(connection, performance.now());
        continue;
      }
      planned += gapMs;
      const mine = planned;
      if (mine >= until) return;
      const waitMs = mine - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      // A timer fires up to a millisecond late; that is the generator's delay, not the server's.
      await readOne(connection, Math.max(mine, performance.now()));
    }
  };
  await Promise.all(connections.map(worker));
  const elapsedSeconds = (performance.now() - began) / 1000;
  connections.forEach((connection) => connection.close());
  const sorted = Float64Array.from(latencies).sort();
  return {
    reads: latencies.length,
    failed,
    readsPerSecond: latencies.length / elapsedSeconds,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    maxMs: sorted.at(-1) ?? Number.NaN,
    answers,
  };
}

const optionsFile = process.argv[2];
if (import.meta.main && optionsFile !== undefined) {
  const result = await runLoad(JSON.parse(readFileSync(optionsFile, "utf8")) as LoadOptions);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
