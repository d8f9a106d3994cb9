import { createHash } from "node:crypto";
import type { OnReply, RedisCommand, RedisReply } from "./command.ts";
import type { RedisSession } from "./session.ts";

/** A Lua script that only reads, and the name that the server's cache knows it by. */
export interface ReadScript {
  readonly lua: string;
  /** SHA-1 of the text, lower-case hexadecimal. */
  readonly sha1: string;
}

/** One run of a script. Keys go apart from arguments, so that ACL key patterns and Cluster slots apply. */
export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

/** A script with its name. */
export function readScriptFromLua(lua: string): ReadScript {
  return { lua, sha1: createHash("sha1").update(lua).digest("hex") };
}

/**
 * Runs the script once for each call: one EVALSHA each. On a new socket the first call carries the text (EVAL), which teaches it to the server
 * for the calls behind it, without a round trip of its own and without the right to SCRIPT LOAD. What the server has forgotten (SCRIPT FLUSH,
 * failover) is run again, once, with the text. Otherwise as {@link RedisSession.send}.
 */
export async function runScript(
  session: RedisSession,
  { script, calls }: { readonly script: ReadScript; readonly calls: readonly ScriptCall[] },
  onReply: OnReply,
  signal: AbortSignal,
): Promise<void> {
  const forgotten: { readonly index: number; readonly call: ScriptCall }[] = [];
  const isKnown = session.scripts.has(script.sha1);
  const commands = calls.map((call, index) =>
    !isKnown && index === 0 ? evalCommand(script, call) : evalShaCommand(script, call),
  );
  const take = (index: number, reply: RedisReply): void => {
    const call = calls[index];
    if (call !== undefined && isNoScript(reply)) {
      session.scripts.delete(script.sha1);
      forgotten.push({ index, call });
      return;
    }
    if (reply.status === "answered") session.scripts.add(script.sha1);
    onReply(index, reply);
  };
  await session.send(commands, take, signal);
  if (forgotten.length === 0) return;
  await session.send(
    forgotten.map(({ call }) => evalCommand(script, call)),
    (position, reply) => {
      const again = forgotten[position];
      if (reply.status === "answered") session.scripts.add(script.sha1);
      if (again !== undefined) onReply(again.index, reply);
    },
    signal,
  );
}

function evalCommand({ lua }: ReadScript, { keys, args }: ScriptCall): RedisCommand {
  return { name: "EVAL", args: [lua, keys.length, ...keys, ...args] };
}

function evalShaCommand({ sha1 }: ReadScript, { keys, args }: ScriptCall): RedisCommand {
  return { name: "EVALSHA", args: [sha1, keys.length, ...keys, ...args] };
}

function isNoScript(reply: RedisReply): boolean {
  return reply.status === "failed" && reply.error.message.startsWith("NOSCRIPT");
}
