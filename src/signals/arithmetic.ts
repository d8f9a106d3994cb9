import { createFault } from "./environment.ts";

/** The operators of CEL that take two numbers and give one. */
export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%";

/** The operators of CEL that compare two numbers. */
export type ComparisonOperator = "==" | "!=" | "<" | "<=" | ">" | ">=";

/** Passes a number on, or throws the fault that it is. */
type Guard = (value: number) => number;

/** Passes a finite number on; anything else would turn into a plausible number later: `1 / (1 / 0)` is 0 in IEEE 754. */
function createFiniteGuard(text: string): Guard {
  const fault = createFault(`${text} is not finite`);
  return (value) => {
    if (Number.isFinite(value)) return value;
    throw fault();
  };
}

/** Passes an int on that a double holds exactly. */
function createExactGuard(text: string): Guard {
  const fault = createFault(`${text} is beyond the integers that are exact`);
  return (value) => {
    if (Number.isSafeInteger(value)) return value;
    throw fault();
  };
}

/** Passes a divisor on. Both types refuse 0: CEL's doubles would give infinity, which is no value either. */
function createDivisorGuard(text: string): Guard {
  const fault = createFault(`${text} divides by zero`);
  return (value) => {
    if (value !== 0) return value;
    throw fault();
  };
}

/**
 * Arithmetic on doubles (upstream: cel-spec `doc/langdef.md`, arithmetic), with every result finite. CEL has no `%` on doubles. Faults name the
 * part of the expression by its `text`.
 */
export function doubleArithmetic(
  operator: Exclude<ArithmeticOperator, "%">,
  text: string,
): (left: number, right: number) => number {
  const finite = createFiniteGuard(text);
  switch (operator) {
    case "+":
      return (left, right) => finite(left + right);
    case "-":
      return (left, right) => finite(left - right);
    case "*":
      return (left, right) => finite(left * right);
    case "/": {
      const divisor = createDivisorGuard(text);
      return (left, right) => finite(left / divisor(right));
    }
  }
}

/**
 * Arithmetic on ints (upstream: cel-spec `doc/langdef.md`, arithmetic): division and modulus truncate towards zero, overflow is an error.
 * The quotient of two exact ints is truncated correctly from the rounded one.
 */
export function intArithmetic(
  operator: ArithmeticOperator,
  text: string,
): (left: number, right: number) => number {
  const exact = createExactGuard(text);
  const divisor = createDivisorGuard(text);
  switch (operator) {
    case "+":
      return (left, right) => exact(left + right);
    case "-":
      return (left, right) => exact(left - right);
    case "*":
      return (left, right) => exact(left * right);
    case "/":
      return (left, right) => Math.trunc(left / divisor(right));
    case "%":
      return (left, right) => left % divisor(right);
  }
}

/** Comparison of two numbers; an int beside a double is compared by value, as CEL does. */
export function comparison(
  operator: ComparisonOperator,
): (left: number | boolean, right: number | boolean) => boolean {
  switch (operator) {
    case "==":
      return (left, right) => left === right;
    case "!=":
      return (left, right) => left !== right;
    case "<":
      return (left, right) => left < right;
    case "<=":
      return (left, right) => left <= right;
    case ">":
      return (left, right) => left > right;
    case ">=":
      return (left, right) => left >= right;
  }
}

/** A double as an int, cut off towards zero (CEL's `int(double)`). */
export function intFromDouble(text: string): (value: number) => number {
  const exact = createExactGuard(text);
  return (value) => exact(Math.trunc(value));
}
