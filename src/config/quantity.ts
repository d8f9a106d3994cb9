/*
 * Kubernetes Quantities in configuration (upstream: apimachinery `pkg/api/resource/quantity.go`).
 */
const form =
  /^\+?(\d+(?:\.\d*)?|\.\d+)(?:(n|u|m|k|M|G|T|P|E)|(Ki|Mi|Gi|Ti|Pi|Ei)|[eE]([-+]?\d{1,3}))?$/;

const decimalExponents: Readonly<Record<string, number>> = {
  ...{ n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 },
};
const binaryPowers: Readonly<Record<string, number>> = {
  ...{ Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 },
};

/** Largest value that an HPA decodes: it counts thousandths in an int64. */
const maxValue = Number((2n ** 63n - 1n) / 1000n);

/**
 * The number that a Quantity of 0 or more stands for; undefined when the text is none, is negative, or is more than an HPA can decode.
 * `1E` is 10^18 and `1E3` is 1000, as upstream has it.
 */
export function parseQuantity(text: string): number | undefined {
  const match = form.exec(text);
  if (match === null) return undefined;
  const [, mantissa = "", decimalSuffix, binarySuffix, exponent] = match;
  const value =
    binarySuffix === undefined
      ? Number(`${mantissa}e${exponent ?? decimalExponents[decimalSuffix ?? ""] ?? "0"}`)
      : Number(mantissa) * 2 ** (binaryPowers[binarySuffix] ?? Number.NaN);
  return Number.isFinite(value) && value <= maxValue ? value : undefined;
}
