const maxInt64 = 2n ** 63n - 1n;
const mostNegativeInt64 = -(2n ** 63n);
/** Most digits that the fast path of upstream's parser takes (`maxInt64Factors`). */
const maxFastDigits = 18;

const decimalExponents: Readonly<Record<string, number>> = {
  ...{ n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 },
};
const binaryExponents: Readonly<Record<string, number>> = {
  ...{ Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 },
};

/** A quantity taken apart: `sign × digits × base^exponent`, the last `decimals` digits after the point. */
interface ParsedQuantity {
  readonly sign: 1n | -1n;
  readonly digits: string;
  readonly decimals: number;
  readonly base: 2 | 10;
  readonly exponent: number;
}

/** Undefined when the text is no Quantity. Beyond ±4096 an exponent says nothing more: the value is 0, or far out of range. */
function parse(untrimmed: string): ParsedQuantity | undefined {
  const text = untrimmed.trim();
  if (text === "") return undefined;
  const match = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", suffix = ""] = match;
  const unit = interpretSuffix(suffix);
  if (unit === undefined) return undefined;
  const significant = whole.replace(/^0+/, "");
  return {
    sign: sign === "-" ? -1n : 1n,
    digits: (significant === "" ? "0" : significant) + fraction,
    decimals: fraction.length,
    ...unit,
  };
}

function interpretSuffix(suffix: string): Pick<ParsedQuantity, "base" | "exponent"> | undefined {
  const decimal = decimalExponents[suffix];
  if (decimal !== undefined) return { base: 10, exponent: decimal };
  const binary = binaryExponents[suffix];
  if (binary !== undefined) return { base: 2, exponent: binary };
  if (!/^[eE][-+]?\d{1,18}$/.test(suffix)) return undefined;
  return { base: 10, exponent: Math.max(-4096, Math.min(4096, Number(suffix.slice(1)))) };
}

const int64 = (value: bigint): bigint => BigInt.asIntN(64, value);
const isInt64 = (value: bigint): boolean => value <= maxInt64 && value >= mostNegativeInt64;
const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

/** Divides rounding away from zero. */
function divideAway(value: bigint, divisor: bigint): bigint {
  const quotient = absolute(value) / divisor + (absolute(value) % divisor === 0n ? 0n : 1n);
  return value < 0n ? -quotient : quotient;
}

/** Upstream `positiveScaleInt64`: an overflow wraps for the powers that have a case of their own, and gives 0 for the others. */
function scaleUp(value: bigint, power: number): bigint {
  const scaled = value * 10n ** BigInt(power);
  if (isInt64(scaled)) return scaled;
  return [1, 2, 3, 6, 9].includes(power) ? int64(scaled) : 0n;
}

/** Whether upstream's parser tries int64 arithmetic for so many digits at all (`ParseQuantity`, `precision`). */
function isFast({ base, exponent, digits, decimals }: ParsedQuantity): boolean {
  if (base === 10) return digits.length <= maxFastDigits;
  return decimals === 0 && 15 - digits.length - Math.trunc(exponent * 0.3) - 1 >= 0;
}

/** The digits without sign and point, times the power of two of a binary suffix. */
const unscaledOf = ({ base, exponent, digits }: ParsedQuantity): bigint =>
  BigInt(digits) * (base === 2 ? 2n ** BigInt(exponent) : 1n);

/** The power of ten that {@link unscaledOf} is multiplied by. */
const scaleOf = ({ base, exponent, decimals }: ParsedQuantity): number =>
  (base === 10 ? exponent : 0) - decimals;

/** What upstream keeps as an int64 and a decimal scale; undefined when it takes arbitrary precision instead. */
function fastMilli(quantity: ParsedQuantity): bigint | undefined {
  const scale = scaleOf(quantity);
  const unscaled = unscaledOf(quantity);
  if (!isFast(quantity) || scale < -9 || !isInt64(unscaled)) return undefined;
  const value = quantity.sign * unscaled;
  return scale < -3 ? divideAway(value, 10n ** BigInt(-3 - scale)) : scaleUp(value, scale + 3);
}

/** Nano, rounded away from zero; binary quantities, and only they, are capped at the largest int64. */
function nanoOf(quantity: ParsedQuantity): bigint {
  const power = scaleOf(quantity) + 9;
  const unscaled = unscaledOf(quantity);
  const magnitude =
    power >= 0 ? unscaled * 10n ** BigInt(power) : divideAway(unscaled, 10n ** BigInt(-power));
  const cap = maxInt64 * 10n ** 9n;
  return quantity.sign * (quantity.base === 2 && magnitude > cap ? cap : magnitude);
}

/** The way through arbitrary precision: nano, then up to milli, then wrapped to int64 (upstream: `scaledValue`). */
function slowMilli(quantity: ParsedQuantity): bigint {
  const nano = nanoOf(quantity);
  // Upstream asks only whether it is below the largest int64, so that a negative one wraps before it is divided.
  const dividend = nano < maxInt64 ? int64(nano) : nano;
  const quotient = dividend / 1_000_000n;
  return int64(dividend % 1_000_000n === 0n ? quotient : quotient + 1n);
}

/**
 * `Quantity.MilliValue()` as the HPA controller gets it: thousandths rounded up, as int64, with upstream's overflows (`1e30` is 0, `9223372036854775807` is -1000).
 * Undefined when the text is no Quantity; the controller's client then fails the whole list (upstream: apimachinery `pkg/api/resource`).
 */
export function milliValue(quantity: string): bigint | undefined {
  const parsed = parse(quantity);
  return parsed === undefined ? undefined : (fastMilli(parsed) ?? slowMilli(parsed));
}

/**
 * `Quantity.AsApproximateFloat64()` of the canonical form, in which kube-apiserver hands an object to the controller: mantissa × 10^exponent
 * with an exponent that is a multiple of 3. Undefined when the text is no Quantity.
 */
export function approximateFloat(quantity: string): number | undefined {
  const parsed = parse(quantity);
  if (parsed === undefined) return undefined;
  const canonical = canonicalOf(parsed.sign * unscaledOf(parsed), scaleOf(parsed));
  const { mantissa, exponent } = canonical;
  return exponent === 0 ? Number(mantissa) : Number(mantissa) * Number(`1e${exponent}`);
}

/** The same number with the fewest digits whose exponent is a multiple of 3 (upstream: `AsCanonicalBytes`). */
function canonicalOf(
  unscaled: bigint,
  scale: number,
): { readonly mantissa: bigint; readonly exponent: number } {
  let mantissa = unscaled;
  let exponent = scale;
  if (mantissa === 0n) return { mantissa, exponent: 0 };
  for (; mantissa % 10n === 0n; mantissa /= 10n) exponent += 1;
  for (; exponent % 3 !== 0; exponent -= 1) mantissa *= 10n;
  return { mantissa, exponent };
}

const suffixes: readonly string[] = ["m", "", "k", "M", "G", "T", "P", "E"];

/** The Quantity that an HPA's status shows for so many thousandths: `4167n` thousandths are `4167m`, `5000n` are `5`. */
export function quantityFromMilli(milli: bigint): string {
  const { mantissa, exponent } = canonicalOf(milli, -3);
  return `${mantissa}${suffixes[exponent / 3 + 1] ?? ""}`;
}
