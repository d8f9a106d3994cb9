import type { ScriptCall } from "../../connections/redis/script.ts";
import type { BullmqQueueRef } from "./query.ts";

/**
 * Keys that the script reads, as `<prefix>:<queue>:<name>`, in the order of its KEYS (upstream: BullMQ `src/classes/queue-keys.ts`).
 */
export const bullmqKeyNames = [
  "wait",
  "paused",
  "active",
  "prioritized",
  "delayed",
  "waiting-children",
  "meta",
  "id",
] as const;

/**
 * One read of one queue: every count at the same instant, in O(log n). Writes nothing, so it runs on replicas and without any right to write.
 *
 * - Needs the rights llen, lindex, zcard, zcount, zrange, hmget, hget, get and exists; no shebang, which Redis 6 does not know.
 * - A command that fails ends the read: the reply is then {-1, index of the key, error}. Index 0 is the job at the head.
 * - BullMQ 2 to 4 put a marker at the right end of the list: "0", or "0:" and a time. It is no job.
 * - A queue exists when its counter or its meta does.
 * - The head is the job that would be taken next: right end of wait, then of paused, then the first prioritized one. Where there is none, the
 *   due time of the first due delayed job is told instead.
 * - The limit of concurrency is told as the number that workers take it for: the server's own `tonumber` of it, so that hexadecimal digits, blanks or
 *   `Infinity` mean to us what they mean to them.
 * - The numbers of the clock are made by the caller: Lua would print them with 14 digits.
 *
 * ARGV: greatest score of a due delayed job; prefix of the keys of jobs, which is given back at the end: an answer that came to the wrong question
 * (a client or proxy out of step) is then told from a right one.
 */
export const bullmqReadLua = `
local failure = false

local function read(command, index, ...)
  if failure then return false end
  local reply = redis.pcall(command, KEYS[index], ...)
  if type(reply) == 'table' and reply['err'] then
    failure = {-1, index, reply['err']}
    return false
  end
  return reply
end

local function rightEnd(index, length)
  if not length or length == 0 then return 0, false end
  local id = read('LINDEX', index, -1)
  if id and (id == '0' or string.sub(id, 1, 2) == '0:') then
    return 1, read('LINDEX', index, -2)
  end
  return 0, id
end

local wait = read('LLEN', 1)
local paused = read('LLEN', 2)
local active = read('LLEN', 3)
local prioritized = read('ZCARD', 4)
local delayed = read('ZCARD', 5)
local due = 0
if delayed and delayed > 0 then due = read('ZCOUNT', 5, 0, ARGV[1]) end
local waitingChildren = read('ZCARD', 6)
local meta = read('HMGET', 7, 'paused', 'concurrency')
local concurrency = meta and meta[2]
if concurrency then concurrency = tostring(tonumber(concurrency)) end
local id = read('GET', 8)
local exists = 1
if not id then exists = read('EXISTS', 7) end
local waitMarker, nextWaiting = rightEnd(1, wait)
local pausedMarker, nextPaused = rightEnd(2, paused)
if failure then return failure end

local head = nextWaiting or nextPaused
if not head and prioritized > 0 then
  local first = read('ZRANGE', 4, 0, 0)
  head = first and first[1]
end
local headScore = false
if not head and due > 0 then
  local first = read('ZRANGE', 5, 0, 0, 'WITHSCORES')
  headScore = first and first[2]
end
if failure then return failure end

local headTimestamp = false
if head then
  headTimestamp = redis.pcall('HGET', ARGV[2] .. head, 'timestamp')
  if type(headTimestamp) == 'table' and headTimestamp['err'] then
    return {-1, 0, headTimestamp['err']}
  end
end

return {
  exists, wait, paused, waitMarker, pausedMarker, active, prioritized, delayed, due,
  waitingChildren, meta[1] or false, concurrency or false, id or false, headTimestamp or false,
  headScore or false, ARGV[2]
}
`;

/** What every key of a queue starts with: `<prefix>:<queue>:`. */
export function bullmqKeyBase({ prefix, queue }: BullmqQueueRef): string {
  return `${prefix}:${queue}:`;
}

/**
 * Keys and arguments for one queue.
 *
 * A delayed job's score is its due time times 4,096 plus a counter below that (BullMQ `includes/getDelayedScore.lua`), so due at `nowMs` means a score
 * from 0 to (nowMs + 1) × 4,096 − 1, which is what a worker promotes (`includes/promoteDelayedJobs.lua`). Exact in doubles until September 2039.
 *
 * @param nowMs wall clock, milliseconds. Ours, not the server's: BullMQ's producers and workers write and compare their own clocks, never the server's;
 *   it takes no right to TIME; and a clock that is wrong by a second moves only the jobs due in that second.
 */
export function bullmqScriptCall(queue: BullmqQueueRef, nowMs: number): ScriptCall {
  const base = bullmqKeyBase(queue);
  return {
    keys: bullmqKeyNames.map((name) => `${base}${name}`),
    args: [(Math.floor(nowMs) + 1) * 4_096 - 1, base],
  };
}
