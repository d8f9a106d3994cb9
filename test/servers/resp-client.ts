import { connect } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** Where a Redis server listens; `ca` (PEM) turns TLS on. */
export interface RespAddress {
  readonly port: number;
  readonly ca?: string;
}

/** What a command may give: RESP2 without errors, which are thrown. */
export type RespValue = string | number | null | readonly RespValue[];

interface Parsed {
  readonly value: RespValue | Error;
  readonly end: number;
}

/**
 * Sends commands over one socket of its own to a server on loopback and gives all their replies, then hangs up. Errors become Error objects in the
 * list. For tests and their servers: no library between us and what the server really says.
 */
export async function respCommands(
  address: RespAddress,
  commands: readonly (readonly string[])[],
  timeoutMs = 5_000,
): Promise<readonly (RespValue | Error)[]> {
  return new Promise((resolve, reject) => {
    const socket = openSocket(address);
    let received = "";
    const end = (outcome: () => void): void => {
      socket.destroy();
      outcome();
    };
    socket.setTimeout(timeoutMs, () => end(() => reject(new Error("no answer in time"))));
    socket.once("error", (error) => end(() => reject(error)));
    socket.once("close", () => reject(new Error("connection closed")));
    socket.on("data", (chunk: string) => {
      received += chunk;
      const replies = parseReplies(received);
      if (replies.length >= commands.length) end(() => resolve(replies));
    });
    socket.write(commands.map(encodeCommand).join(""));
  });
}

function openSocket({ port, ca }: RespAddress): Socket {
  const host = "127.0.0.1";
  const socket =
    ca === undefined
      ? connect({ port, host })
      : connectTls({ port, host, ca, servername: "localhost" });
  return socket.setEncoding("latin1");
}

function encodeCommand(parts: readonly string[]): string {
  const encoded = parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
  return `*${parts.length}\r\n${encoded.join("")}`;
}

function parseReplies(text: string): (RespValue | Error)[] {
  const replies: (RespValue | Error)[] = [];
  let position = 0;
  for (;;) {
    const parsed = parseValue(text, position);
    if (parsed === undefined) return replies;
    replies.push(parsed.value);
    position = parsed.end;
  }
}

/** One value, or undefined while it is not whole. */
function parseValue(text: string, start: number): Parsed | undefined {
  const lineEnd = text.indexOf("\r\n", start);
  if (lineEnd < 0) return undefined;
  const line = text.slice(start + 1, lineEnd);
  const end = lineEnd + 2;
  switch (text[start]) {
    case "+":
      return { value: line, end };
    case "-":
      return { value: new Error(line), end };
    case ":":
      return { value: Number(line), end };
    case "$": {
      const length = Number(line);
      if (length < 0) return { value: null, end };
      if (text.length < end + length + 2) return undefined;
      return { value: text.slice(end, end + length), end: end + length + 2 };
    }
    case "*":
      return parseArray(text, end, Number(line));
    default:
      throw new Error(`not the Redis protocol: ${line}`);
  }
}

function parseArray(text: string, start: number, length: number): Parsed | undefined {
  if (length < 0) return { value: null, end: start };
  const items: RespValue[] = [];
  let position = start;
  while (items.length < length) {
    const parsed = parseValue(text, position);
    if (parsed === undefined) return undefined;
    if (parsed.value instanceof Error) throw parsed.value;
    items.push(parsed.value);
    position = parsed.end;
  }
  return { value: items, end: position };
}
