import type { Socket } from "node:net";
import type { TcpPeer } from "./tcp-peer.ts";
import { startTcpPeer } from "./tcp-peer.ts";

/** Answers one command, given in upper case with its arguments, with the bytes of a reply; undefined is silence. */
export type FakeRedisHandler = (
  command: readonly string[],
  socket: Socket,
) => string | undefined | Promise<string | undefined>;

/** A peer that speaks RESP2, true to the wire, for what a real Redis does not do on demand. */
export interface FakeRedis extends TcpPeer {
  /** Names of the commands received so far, in order. */
  commands(): readonly string[];
}

/** Replies of RESP2 (upstream: redis.io, "Redis serialization protocol specification"). */
export const resp = {
  ok: "+OK\r\n",
  error: (message: string): string => `-${message}\r\n`,
  /** An array of integers, texts and nulls. */
  array: (items: readonly (number | string | null)[]): string =>
    `*${items.length}\r\n${items.map(item).join("")}`,
};

function item(value: number | string | null): string {
  if (value === null) return "$-1\r\n";
  return typeof value === "number"
    ? `:${value}\r\n`
    : `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
}

/** Starts one. Commands that the handler does not answer with bytes get no reply; `CLIENT` and `AUTH` are answered `+OK` unless it does. */
export async function startFakeRedis(handler: FakeRedisHandler): Promise<FakeRedis> {
  const commands: string[] = [];
  const peer = await startTcpPeer((socket) => {
    let received = "";
    let answered = Promise.resolve();
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      received += chunk;
      for (;;) {
        const parsed = parseCommand(received);
        if (parsed === undefined) return;
        received = received.slice(parsed.end);
        const [name = "", ...args] = parsed.parts;
        const command = [name.toUpperCase(), ...args];
        commands.push(name.toUpperCase());
        answered = answered.then(() => answer(handler, command, socket));
      }
    });
  });
  return { ...peer, commands: () => commands };
}

async function answer(
  handler: FakeRedisHandler,
  command: readonly string[],
  socket: Socket,
): Promise<void> {
  const reply = await handler(command, socket);
  const isHandshake = command[0] === "CLIENT" || command[0] === "AUTH";
  const bytes = reply ?? (isHandshake ? resp.ok : undefined);
  if (bytes !== undefined && !socket.destroyed) socket.write(bytes);
}

/** One whole command at the start of the text, or undefined while it is not whole. */
function parseCommand(
  text: string,
): { readonly parts: readonly string[]; readonly end: number } | undefined {
  const header = /^\*(\d+)\r\n/u.exec(text);
  if (header === null) return undefined;
  let position = header[0].length;
  const parts: string[] = [];
  while (parts.length < Number(header[1])) {
    const size = /^\$(\d+)\r\n/u.exec(text.slice(position, position + 16));
    if (size === null) return undefined;
    const start = position + size[0].length;
    const end = start + Number(size[1]);
    if (text.length < end + 2) return undefined;
    parts.push(text.slice(start, end));
    position = end + 2;
  }
  return { parts, end: position };
}
