const decimal = /^-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/iu;

/** A finite number of at least 0 that somebody stored as text: decimals and exponents too. Undefined for anything else. */
export function amountFromText(text: string): number | undefined {
  const number = decimal.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}

/** A counter as `INCR` keeps it: digits alone, and only as far as doubles count in ones. Undefined for anything else. */
export function counterFromText(text: string): number | undefined {
  const number = /^\d{1,16}$/u.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

/**
 * The limit that BullMQ's workers keep to, from the number that Lua's `tonumber` makes of `meta.concurrency`, as its `tostring` writes it: `3`,
 * `2.5`, `1e+20`, `inf`, `-inf`, `nan`, `-nan`. Infinity where there is no limit; undefined when it is no number (`nil`).
 *
 * A worker takes a job while fewer are active (upstream: BullMQ `includes/getQueueMetadata.lua`): nothing is too many for `nan`, and 2.5 lets in three.
 */
export function limitFromLua(text: string): number | undefined {
  if (/^-?nan$/iu.test(text)) return Infinity;
  const infinite = /^(-?)inf$/iu.exec(text);
  if (infinite !== null) return infinite[1] === "-" ? 0 : Infinity;
  return decimal.test(text) ? Math.max(0, Math.ceil(Number(text))) : undefined;
}
