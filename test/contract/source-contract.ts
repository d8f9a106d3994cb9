import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { sourceErrorCodes } from "../../src/model/source-error.ts";
import type { SourceErrorCode } from "../../src/model/source-error.ts";
import { PollBatch } from "../../src/poller/poll-batch.ts";
import type { DropReason } from "../../src/poller/poll-observer.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import type { FetchOutcome, Query, Source } from "../../src/sources/source.ts";
import type { TcpPeer, TcpPeerBehaviour } from "../fakes/tcp-peer.ts";
import { answers, closesItsHalf, hangsUp, neverAnswers, startTcpPeer } from "../fakes/tcp-peer.ts";

/** Name of the connection in every source that the suite makes. */
export const contractConnectionName = "contract";

/** The real server of a source, and how the suite makes things on it. */
export interface ContractServer {
  readonly port: number;
  pause(): void;
  resume(): void;
  /** Ends it as a crash would; its data survive. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** Makes a thing, or fills it up, until it holds exactly `depth` units of work. */
  createThing(name: string, depth: number): Promise<void>;
  deleteThing(name: string): Promise<void>;
  /** Makes something under the thing's name that cannot be read as one. */
  breakThing(name: string): Promise<void>;
}

/** Where a source connects, and with which password. */
export interface ContractConnection {
  readonly port: number;
  /** Default: the right one. */
  readonly password?: string;
}

/** What the suite needs to know about a kind of source. */
export interface SourceContract {
  readonly name: string;
  startServer(): Promise<ContractServer>;
  createSource(connection: ContractConnection): Promise<Source>;
  query(thing: string): Query;
  /** Field that holds what `createThing` made. */
  readonly depthField: string;
  /** Every field that may be in a reading. */
  readonly fields: readonly string[];
  /** Error code of a broken thing, and what its message says besides connection and thing. */
  readonly brokenThing: { readonly code: SourceErrorCode; readonly finding: string };
  /** Bytes that are not, or not wholly, an answer, by what is wrong with them. */
  readonly garbledAnswers: Readonly<Record<string, string>>;
  /** Rows that mean nothing for this source: why, and the proof, which runs as the row. */
  readonly notApplicable?: Readonly<Partial<Record<ContractRow, NotApplicable>>>;
}

/** Why a row does not apply, with an assertion that holds only while that is true. */
export interface NotApplicable {
  readonly reason: string;
  readonly proof: () => Promise<void> | void;
}

/** Deadline of each read, milliseconds. */
const timeoutMs = 400;
/** Time that a busy machine may take beyond a deadline, milliseconds. */
const graceMs = 600;
const wrongPassword = "wrong-hunter2";

interface Context {
  readonly contract: SourceContract;
  readonly server: ContractServer;
  /** A source that is closed after the test. */
  readonly open: (connection?: ContractConnection) => Promise<Source>;
  /** A peer that is stopped after the test. */
  readonly peer: (behaviour: TcpPeerBehaviour) => Promise<TcpPeer>;
  /** One poll of things by name, as the poller does it. */
  readonly read: (
    source: Source,
    ...things: readonly string[]
  ) => Promise<Readonly<Record<string, FetchOutcome>>>;
}

/** Each row is a rule that every source keeps. */
const rows = {
  "dials nothing when it is made": async ({ contract, open, peer, read }) => {
    const target = await peer(neverAnswers);
    const source = await open({ port: target.port });
    // Another socket that was dialled later is accepted later: whatever the source dialled would have come before it.
    const later = await contract.createSource({ port: target.port });
    await read(later, "a");
    expect(target.accepted()).toBe(1);
    await read(source, "a");
    expect(target.accepted()).toBe(2);
    await later.close();
  },

  "gives each thing its own reading, and each field is known": async (context) => {
    const { contract, server, open, read } = context;
    await server.createThing("one", 1);
    await server.createThing("two", 2);
    const outcomes = await read(await open(), "one", "two");
    expect(depthOf(context, outcomes["one"])).toBe(1);
    expect(depthOf(context, outcomes["two"])).toBe(2);
    const outcome = outcomes["one"];
    if (outcome?.status !== "read") throw new Error("no reading");
    expect(contract.fields).toEqual(expect.arrayContaining(Object.keys(outcome.reading.fields)));
    expect(Object.values(outcome.reading.fields).every(Number.isFinite)).toBe(true);
    expect(outcome.reading.timestampMs).toBeGreaterThan(systemClock.now() - 10_000);
    expect(outcome.reading.monotonicMs).toBeLessThanOrEqual(systemClock.monotonic());
  },

  "follows a thing that grows and drains": async (context) => {
    const { server, open, read } = context;
    const source = await open();
    for (const depth of [1, 5, 2, 0]) {
      await server.createThing("tide", depth);
      const { tide } = await read(source, "tide");
      expect(depthOf(context, tide)).toBe(depth);
    }
  },

  "fails a thing that does not exist with NotFound": async ({ open, read }) => {
    const { typo } = await read(await open(), "typo");
    expect(codeOf(typo)).toBe("NotFound");
  },

  "fails a thing that is deleted, and reads it again when it is made again": async (context) => {
    const { server, open, read } = context;
    const source = await open();
    await server.createThing("phoenix", 3);
    expect(depthOf(context, (await read(source, "phoenix"))["phoenix"])).toBe(3);
    await server.deleteThing("phoenix");
    expect(codeOf((await read(source, "phoenix"))["phoenix"])).toBe("NotFound");
    await server.createThing("phoenix", 1);
    expect(depthOf(context, (await read(source, "phoenix"))["phoenix"])).toBe(1);
  },

  "keeps a bad thing from disturbing the others": async (context) => {
    const { contract, server, open, read } = context;
    await server.createThing("first", 1);
    await server.breakThing("broken");
    await server.createThing("last", 2);
    const source = await open();
    const outcomes = await read(source, "first", "broken", "missing", "last");
    expect(depthOf(context, outcomes["first"])).toBe(1);
    expect(depthOf(context, outcomes["last"])).toBe(2);
    expect(codeOf(outcomes["missing"])).toBe("NotFound");
    expect(codeOf(outcomes["broken"])).toBe(contract.brokenThing.code);
    expect(messageOf(outcomes["broken"])).toContain(contract.brokenThing.finding);
  },

  "says that a connection was refused": async ({ open, peer, read }) => {
    const target = await peer(neverAnswers);
    await target.stop();
    const { a } = await read(await open({ port: target.port }), "a");
    expect(codeOf(a)).toBe("Unavailable");
    expect(messageOf(a)).toContain("ECONNREFUSED");
  },

  "says that the credentials are wrong, and not what they are": async ({ server, open, read }) => {
    const source = await open({ port: server.port, password: wrongPassword });
    const { a } = await read(source, "a");
    expect(codeOf(a)).toBe("Unauthenticated");
  },

  "ends a read at its deadline when the peer accepts and never answers": async (context) => {
    const { open, peer, read } = context;
    const source = await open({ port: (await peer(neverAnswers)).port });
    const { a, b } = await read(source, "a", "b");
    expect([codeOf(a), codeOf(b)]).toEqual(["DeadlineExceeded", "DeadlineExceeded"]);
  },

  "fails when the peer hangs up": async ({ open, peer, read }) => {
    const { a } = await read(await open({ port: (await peer(hangsUp)).port }), "a");
    expect(codeOf(a)).toBe("Unavailable");
  },

  "fails when the peer closes its half of the socket": async ({ open, peer, read }) => {
    const { a } = await read(await open({ port: (await peer(closesItsHalf)).port }), "a");
    expect(codeOf(a)).toBe("Unavailable");
  },

  "never makes a value of a garbled answer": async ({ contract, open, peer, read }) => {
    for (const [what, bytes] of Object.entries(contract.garbledAnswers)) {
      const source = await open({ port: (await peer(answers(bytes))).port });
      const { a } = await read(source, "a");
      expect.soft(a?.status, what).toBe("failed");
    }
  },

  "reads on when a killed server is back": async (context) => {
    const { server, open, read } = context;
    await server.createThing("survivor", 4);
    const source = await open();
    expect(depthOf(context, (await read(source, "survivor"))["survivor"])).toBe(4);
    await server.kill();
    await expect
      .poll(async () => codeOf((await read(source, "survivor"))["survivor"]))
      .toBe("Unavailable");
    await server.restart();
    await expect
      .poll(async () => depthOf(context, (await read(source, "survivor"))["survivor"]), {
        timeout: 5_000,
      })
      .toBe(4);
  },

  "ends reads of a hung server at the deadline, and reads on when it goes on": async (context) => {
    const { server, open, read } = context;
    await server.createThing("sleeper", 2);
    const source = await open();
    expect(depthOf(context, (await read(source, "sleeper"))["sleeper"])).toBe(2);
    server.pause();
    try {
      for (let round = 0; round < 5; round += 1) {
        expect(codeOf((await read(source, "sleeper"))["sleeper"])).toBe("DeadlineExceeded");
      }
    } finally {
      server.resume();
    }
    await expect
      .poll(async () => depthOf(context, (await read(source, "sleeper"))["sleeper"]), {
        timeout: 5_000,
      })
      .toBe(2);
  },

  "closes at once while a read hangs, and leaves nothing open": async ({ contract, peer }) => {
    const target = await peer(neverAnswers);
    const before = openResources();
    const source = await contract.createSource({ port: target.port });
    const abort = new AbortController();
    const reading = source.fetch([contract.query("a")], () => undefined, abort.signal);
    await expect.poll(() => target.open()).toBe(1);
    const startedMs = systemClock.monotonic();
    await source.close();
    await source.close();
    expect(systemClock.monotonic() - startedMs).toBeLessThan(graceMs);
    abort.abort();
    await reading;
    await expect.poll(() => target.open()).toBe(0);
    await expect.poll(openResources).toBeLessThanOrEqual(before);
  },

  "can be closed before it was used": async ({ contract }) => {
    const source = await contract.createSource({ port: 1 });
    await source.close();
  },
} satisfies Record<string, (context: Context) => Promise<void>>;

/** A rule of the suite, by its title. */
export type ContractRow = keyof typeof rows;

/**
 * The suite that every source runs, against its own real server, and peers that misbehave as no server does on demand. Polls go through the poller's own
 * `PollBatch`. Every failure that any row sees must be of the closed set, name the connection and the thing, and hold no password.
 */
export function describeSourceContract(contract: SourceContract): void {
  describe(`${contract.name} keeps the contract of sources`, () => {
    let server: ContractServer;
    const cleanups: (() => Promise<unknown>)[] = [];

    beforeAll(async () => {
      server = await contract.startServer();
    });
    afterAll(() => server.stop());
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
    });

    const context = (): Context => ({
      contract,
      server,
      open: async (connection = { port: server.port }) => {
        const source = await contract.createSource(connection);
        cleanups.push(() => source.close());
        return source;
      },
      peer: async (behaviour) => {
        const peer = await startTcpPeer(behaviour);
        let stopped: Promise<void> | undefined;
        const stop = (): Promise<void> => (stopped ??= peer.stop());
        cleanups.push(stop);
        return { ...peer, stop };
      },
      read: (source, ...things) => poll(contract, source, things),
    });

    for (const [title, run] of Object.entries(rows) as [
      ContractRow,
      (c: Context) => Promise<void>,
    ][]) {
      const notApplicable = contract.notApplicable?.[title];
      if (notApplicable === undefined) {
        test(title, () => run(context()));
      } else {
        test(`${title} (not applicable: ${notApplicable.reason})`, async () => {
          expect(notApplicable.reason).not.toBe("");
          await notApplicable.proof();
        });
      }
    }
  });
}

/** One poll as the poller makes it; checks what must hold for every poll. */
async function poll(
  contract: SourceContract,
  source: Source,
  things: readonly string[],
): Promise<Readonly<Record<string, FetchOutcome>>> {
  const names = new Map(things.map((thing) => [contract.query(thing).key, thing]));
  const outcomes: Record<string, FetchOutcome> = {};
  const drops: DropReason[] = [];
  const batch = new PollBatch(
    things.map((thing) => contract.query(thing)),
    {
      clock: systemClock,
      source,
      connection: contractConnectionName,
      timeoutMs,
      lifetime: new AbortController().signal,
      settle: (query, outcome) => (outcomes[names.get(query.key)!] = outcome),
      dropped: (reason) => drops.push(reason),
      ended: () => undefined,
    },
  );
  const startedMs = systemClock.monotonic();
  await batch.run();
  expect(systemClock.monotonic() - startedMs, "the deadline holds").toBeLessThan(
    timeoutMs + graceMs,
  );
  expect(drops, "one report for each thing, none after the deadline").toEqual([]);
  expect(Object.keys(outcomes).sort()).toEqual([...things].sort());
  for (const [thing, outcome] of Object.entries(outcomes)) checkFailure(contract, thing, outcome);
  return outcomes;
}

function checkFailure(contract: SourceContract, thing: string, outcome: FetchOutcome): void {
  if (outcome.status === "read") return;
  const { code, message } = outcome.error;
  expect(Object.keys(sourceErrorCodes)).toContain(code);
  expect(code, "no fault of our own").not.toBe("Internal");
  expect(message).toContain(`connection "${contractConnectionName}"`);
  expect(message).toContain(contract.query(thing).description);
  expect(message).not.toContain(wrongPassword);
  expect(message).not.toMatch(/[\r\n]/u);
}

function depthOf({ contract }: Context, outcome: FetchOutcome | undefined): number | string {
  if (outcome?.status === "read") return outcome.reading.fields[contract.depthField] ?? "absent";
  return outcome?.error.message ?? "no outcome";
}

function codeOf(outcome: FetchOutcome | undefined): SourceErrorCode | "read" | "none" {
  if (outcome === undefined) return "none";
  return outcome.status === "read" ? "read" : outcome.error.code;
}

function messageOf(outcome: FetchOutcome | undefined): string {
  return outcome?.status === "failed" ? outcome.error.message : "";
}

/** Sockets and timers that keep this process alive. */
function openResources(): number {
  const counted = new Set(["TCPSocketWrap", "TLSSocketWrap", "Timeout", "TCPConnectWrap"]);
  return process.getActiveResourcesInfo().filter((kind) => counted.has(kind)).length;
}
