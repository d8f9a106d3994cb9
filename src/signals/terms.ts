import { comparison, doubleArithmetic, intArithmetic } from "./arithmetic.ts";
import { ExpressionFault, createFault } from "./environment.ts";
import type { ArithmeticOperator, ComparisonOperator } from "./arithmetic.ts";
import type { BooleanTerm, NumericTerm, Term } from "./environment.ts";
import type { ExpressionFunction } from "./functions.ts";

/** A field that an expression reads, guarded by `has` or not. */
export interface FieldReference {
  readonly input: string;
  readonly field: string;
}

/** Terms that all hold at once: constant when each is. */
function allConstant(terms: readonly Term[]): boolean {
  return terms.every(({ isConstant }) => isConstant);
}

/** The type that numbers take on together: an int beside a double counts as a double. */
function commonType(terms: readonly NumericTerm[]): NumericTerm["type"] {
  return terms.every(({ type }) => type === "int") ? "int" : "double";
}

/** `input.field`; an absent field is a fault, never a number. */
export function fieldTerm({ input, field }: FieldReference): NumericTerm {
  const name = `${input}.${field}`;
  const absent = createFault(`${name} is absent, and not guarded by has(${name})`);
  const notFinite = createFault(`${name} is not finite`);
  const evaluate: NumericTerm["evaluate"] = (activation) => {
    const value = activation[input]?.[field];
    if (typeof value !== "number") throw absent();
    if (!Number.isFinite(value)) throw notFinite();
    return value;
  };
  return { type: "double", isConstant: false, evaluate };
}

/** `has(input.field)`: whether the reading carries the field. */
export function hasTerm({ input, field }: FieldReference): BooleanTerm {
  const evaluate: BooleanTerm["evaluate"] = (activation) =>
    typeof activation[input]?.[field] === "number";
  return { type: "bool", isConstant: false, evaluate };
}

/** `left operator right` on numbers; undefined where the type has no such operator. */
export function arithmeticTerm(
  operator: ArithmeticOperator,
  [left, right]: readonly [NumericTerm, NumericTerm],
  text: string,
): NumericTerm | undefined {
  const type = commonType([left, right]);
  if (type === "double" && operator === "%") return undefined;
  const apply =
    type === "double" && operator !== "%"
      ? doubleArithmetic(operator, text)
      : intArithmetic(operator, text);
  const isConstant = allConstant([left, right]);
  if (right.isConstant) {
    const constant = right.evaluate({});
    return {
      type,
      isConstant,
      evaluate: (activation) => apply(left.evaluate(activation), constant),
    };
  }
  const evaluate: NumericTerm["evaluate"] = (activation) =>
    apply(left.evaluate(activation), right.evaluate(activation));
  return { type, isConstant, evaluate };
}

/** `left operator right` as a truth value. */
export function comparisonTerm(operator: ComparisonOperator, left: Term, right: Term): BooleanTerm {
  const compare = comparison(operator);
  const evaluate: BooleanTerm["evaluate"] = (activation) =>
    compare(left.evaluate(activation), right.evaluate(activation));
  return { type: "bool", isConstant: allConstant([left, right]), evaluate };
}

/**
 * `&&` and `||`. As CEL has it (upstream: cel-spec `doc/langdef.md`, logical operators), one side that decides the result makes a fault of
 * the other irrelevant, whichever side it is.
 */
export function logicalTerm(
  operator: "&&" | "||",
  left: BooleanTerm,
  right: BooleanTerm,
): BooleanTerm {
  const deciding = operator === "||";
  const evaluate: BooleanTerm["evaluate"] = (activation) => {
    let fault: ExpressionFault | undefined;
    try {
      if (left.evaluate(activation) === deciding) return deciding;
    } catch (reason) {
      if (!(reason instanceof ExpressionFault)) throw reason;
      fault = reason;
    }
    const value = right.evaluate(activation);
    if (fault !== undefined && value !== deciding) throw fault;
    return value;
  };
  return { type: "bool", isConstant: allConstant([left, right]), evaluate };
}

/** `condition ? yes : no`; undefined where one side is a number and the other is not. Only the side taken is evaluated. */
export function conditionalTerm(condition: BooleanTerm, yes: Term, no: Term): Term | undefined {
  const isConstant = allConstant([condition, yes, no]);
  const choose = condition.evaluate;
  if (yes.type === "bool" && no.type === "bool") {
    const evaluate: BooleanTerm["evaluate"] = (activation) =>
      choose(activation) ? yes.evaluate(activation) : no.evaluate(activation);
    return { type: "bool", isConstant, evaluate };
  }
  if (yes.type === "bool" || no.type === "bool") return undefined;
  const evaluate: NumericTerm["evaluate"] = (activation) =>
    choose(activation) ? yes.evaluate(activation) : no.evaluate(activation);
  return { type: commonType([yes, no]), isConstant, evaluate };
}

/** `!value`. */
export function notTerm(term: BooleanTerm): BooleanTerm {
  return { ...term, evaluate: (activation) => !term.evaluate(activation) };
}

/** `-value`. The range of exact ints is symmetric, so this never overflows. */
export function negativeTerm(term: NumericTerm): NumericTerm {
  return { ...term, evaluate: (activation) => -term.evaluate(activation) };
}

/** A call of a function; undefined where it does not take so many arguments. */
export function callTerm(
  called: ExpressionFunction,
  terms: readonly NumericTerm[],
  text: string,
): NumericTerm | undefined {
  const evaluate = called.build(
    terms.map((term) => term.evaluate),
    text,
  );
  if (evaluate === undefined) return undefined;
  const type = called.result === "same" ? commonType(terms) : called.result;
  return { type, isConstant: allConstant(terms), evaluate };
}
