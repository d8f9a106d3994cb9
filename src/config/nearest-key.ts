const unitSuffix = /(?:milliseconds|millis|seconds|secs?|minutes|ms|s)$/;

/**
 * The key that was probably meant: one that differs in its unit alone (`intervalMs`, `timeout` for `timeoutSeconds`), else one that is
 * longer or shorter at its end, else the one with the fewest edits, when these are few. Undefined when none is near.
 */
export function nearestKey(key: string, known: readonly string[]): string | undefined {
  const stem = stemOf(key);
  const sameStem = known.find((candidate) => stemOf(candidate) === stem);
  if (sameStem !== undefined) return sameStem;
  const longer = known.find((candidate) => isPrefix(stem, stemOf(candidate)));
  if (longer !== undefined) return longer;
  const ranked = known
    .map((candidate) => ({ candidate, edits: editDistance(key, candidate) }))
    .sort((a, b) => a.edits - b.edits);
  const [best] = ranked;
  const mostEdits = Math.max(1, Math.floor(key.length / 3));
  return best !== undefined && best.edits <= mostEdits ? best.candidate : undefined;
}

/** Whether one is the start of the other: `min` for `minimum`, `queueName` for `queue`. Shorter starts say nothing. */
function isPrefix(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return short.length >= 3 && long.startsWith(short);
}

/** The key without case, separators and unit. */
function stemOf(key: string): string {
  const plain = key.toLowerCase().replaceAll(/[-_]/g, "");
  return plain.replace(unitSuffix, "") || plain;
}

/** Edits (insert, delete, replace, swap of neighbours) between two keys, without case: optimal string alignment distance. */
function editDistance(left: string, right: string): number {
  const [a, b] = [left.slice(0, 64).toLowerCase(), right.toLowerCase()];
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= a.length; row += 1) rows.push(nextRow(rows, a, b));
  return rows[a.length]?.[b.length] ?? Infinity;
}

function nextRow(rows: readonly (readonly number[])[], a: string, b: string): number[] {
  const row = rows.length;
  const cell = (r: number, c: number): number => rows[r]?.[c] ?? Infinity;
  const current = [row];
  for (let column = 1; column <= b.length; column += 1) {
    const isSame = a[row - 1] === b[column - 1];
    const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
    current.push(
      Math.min(
        cell(row - 1, column) + 1,
        (current[column - 1] ?? Infinity) + 1,
        cell(row - 1, column - 1) + (isSame ? 0 : 1),
        isSwap ? cell(row - 2, column - 2) + 1 : Infinity,
      ),
    );
  }
  return current;
}
