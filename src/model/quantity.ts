/** An exact decimal: mantissa × 10^exponent. */
export interface Decimal {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** Decimal suffixes by exponent (upstream: apimachinery `api/resource/suffix.go`). Note the small k. */
const suffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"] as const;
const smallestExponent = -9;
const largestExponent = 18;
const milliExponent = -3;

/** Powers of 1024 by suffix. */
const binarySuffixes = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] as const;

const quantityPattern = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/u;

/** Longest text and largest exponent that are read: far beyond any real quantity, and small enough that reading stays cheap. */
const maxTextLength = 128;
const maxExponent = 400;

/**
 * Largest magnitude that is served, ⌊int64 / 1000⌋: the HPA controller counts in int64 thousandths, and a value beyond it can become 0 there.
 */
const largestServed: Decimal = { mantissa: 9_223_372_036_854_775n, exponent: 0 };

/**
 * A number as the canonical Kubernetes Quantity that is served (`1500m`, `1k`).
 *
 * Rounded to thousandths, half away from zero, since that is the precision of the HPA controller; a value that is not 0 never becomes 0
 * (it becomes `1m` or `-1m`), because 0 is a scaling decision. Clamped to ±9223372036854775. Undefined when the value is not finite.
 */
export function quantityFromNumber(value: number): string | undefined {
  const decimal = Number.isFinite(value) ? parseQuantity(String(value)) : undefined;
  if (decimal === undefined) return undefined;
  if (Math.abs(value) >= Number(largestServed.mantissa)) {
    const { mantissa, exponent } = largestServed;
    return formatQuantity({ mantissa: value < 0 ? -mantissa : mantissa, exponent });
  }
  return formatQuantity(roundToMilli(decimal));
}

/**
 * Reads a Kubernetes Quantity exactly: decimal suffixes (`1500m`, `2k`, `1E`), binary ones (`1Ki`), exponents (`1e3`). Undefined when the
 * text is none (upstream: apimachinery `api/resource/quantity.go`, ParseQuantity).
 */
export function parseQuantity(text: string): Decimal | undefined {
  if (text.length > maxTextLength) return undefined;
  const match = quantityPattern.exec(text);
  if (match === null) return undefined;
  const [, sign = "", integer = "", fraction = "", suffix = ""] = match;
  const scale = scaleFromSuffix(suffix);
  if (scale === undefined || integer + fraction === "") return undefined;
  const magnitude = BigInt(integer + fraction) * scale.factor;
  return {
    mantissa: sign === "-" ? -magnitude : magnitude,
    exponent: scale.exponent - fraction.length,
  };
}

/** The nearest double to a Quantity; undefined when the text is none, or too large for a double. */
export function quantityToNumber(text: string): number | undefined {
  const decimal = parseQuantity(text);
  if (decimal === undefined) return undefined;
  const value = Number(`${decimal.mantissa}e${decimal.exponent}`);
  return Number.isFinite(value) ? value : undefined;
}

/**
 * A decimal as a canonical Quantity: no point, no `+`, the largest suffix that leaves an integer. More than nine decimal places are rounded
 * up in magnitude (upstream: apimachinery `api/resource/quantity.go`, CanonicalizeBytes).
 */
export function formatQuantity(decimal: Decimal): string {
  let { mantissa, exponent } = decimal;
  if (mantissa === 0n) return "0";
  if (exponent < smallestExponent) {
    mantissa = divideUp(mantissa, 10n ** BigInt(smallestExponent - exponent));
    exponent = smallestExponent;
  }
  while (mantissa % 10n === 0n && exponent < largestExponent) {
    mantissa /= 10n;
    exponent += 1;
  }
  while (exponent % 3 !== 0 || exponent > largestExponent) {
    mantissa *= 10n;
    exponent -= 1;
  }
  return `${mantissa}${suffixes[(exponent - smallestExponent) / 3] ?? ""}`;
}

function scaleFromSuffix(
  suffix: string,
): { readonly factor: bigint; readonly exponent: number } | undefined {
  const decimal = suffixes.findIndex((candidate) => candidate === suffix);
  if (decimal >= 0) return { factor: 1n, exponent: smallestExponent + 3 * decimal };
  const binary = binarySuffixes.findIndex((candidate) => candidate === suffix);
  if (binary >= 0) return { factor: 1024n ** BigInt(binary + 1), exponent: 0 };
  if (!/^[eE][-+]?[0-9]+$/u.test(suffix)) return undefined;
  const exponent = Number(suffix.slice(1));
  return Math.abs(exponent) <= maxExponent ? { factor: 1n, exponent } : undefined;
}

function roundToMilli({ mantissa, exponent }: Decimal): Decimal {
  if (mantissa === 0n || exponent >= milliExponent) return { mantissa, exponent };
  const divisor = 10n ** BigInt(milliExponent - exponent);
  const magnitude = mantissa < 0n ? -mantissa : mantissa;
  const halfUp = (magnitude + divisor / 2n) / divisor;
  const rounded = halfUp === 0n ? 1n : halfUp;
  return { mantissa: mantissa < 0n ? -rounded : rounded, exponent: milliExponent };
}

/** Division that rounds away from zero. */
function divideUp(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  if (dividend % divisor === 0n) return quotient;
  return dividend < 0n ? quotient - 1n : quotient + 1n;
}
