import type { Fields } from "../model/reading.ts";

/** Longest expression, in characters; with it the size of its tree and the time of its evaluation are bounded. */
export const maxExpressionLength = 4096;

/** What an expression may read by one name: the fields that can follow the dot. All fields are doubles. */
export interface InputType {
  readonly name: string;
  readonly fields: readonly string[];
}

/** Input name to the fields of its reading at one instant; what a program is evaluated on. An absent field is a missing key. */
export type Activation = Readonly<Record<string, Fields>>;

/** A checked part of an expression that gives a number. */
export interface NumericTerm {
  /** CEL's type. An `int` is exact up to 2^53 - 1 either way; beyond it is an error, never rounded. */
  readonly type: "int" | "double";
  /** Reads no input: its value is known when the expression is accepted. */
  readonly isConstant: boolean;
  /** Gives a finite number, or throws an {@link ExpressionFault}. */
  readonly evaluate: (activation: Activation) => number;
}

/** A checked part of an expression that gives a truth value. */
export interface BooleanTerm {
  readonly type: "bool";
  readonly isConstant: boolean;
  /** Gives a truth value, or throws an {@link ExpressionFault}. */
  readonly evaluate: (activation: Activation) => boolean;
}

/** A checked part of an expression. */
export type Term = NumericTerm | BooleanTerm;

/** Why an expression has no value: an absent field, a division by zero, a result that is not finite. Caught by the program. */
export class ExpressionFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ExpressionFault";
  }
}

/**
 * A fault that a part of an expression can have, made at its first time and thrown again after: an idle queue may divide by zero at every
 * evaluation.
 */
export function createFault(message: string): () => ExpressionFault {
  let fault: ExpressionFault | undefined;
  return () => (fault ??= new ExpressionFault(message));
}
