import { ParseError, parse } from "@marcbachmann/cel-js";
import { ExpressionFault, maxExpressionLength } from "./environment.ts";
import { ExpressionCompiler } from "./expression-compiler.ts";
import type { ParseResult } from "@marcbachmann/cel-js";
import type { Activation, InputType, NumericTerm } from "./environment.ts";
import type { ExpressionError } from "./expression-compiler.ts";
import type { FieldReference } from "./terms.ts";

/** What an expression gave: a finite number of 0 or more, or why there is none. */
export type ProgramResult =
  | { readonly status: "value"; readonly value: number }
  | { readonly status: "error"; readonly reason: string };

/** An accepted expression. */
export interface Program {
  readonly expression: string;
  /** The fields it names. Inputs that it does not name must be fresh all the same. */
  readonly reads: readonly FieldReference[];
  /** Evaluates on the fields of every input at one instant. Never throws, has no side effect, takes bounded time. */
  evaluate(activation: Activation): ProgramResult;
}

/** An expression as accepted, or everything that is wrong with it. */
export type Compilation =
  | { readonly status: "compiled"; readonly program: Program }
  | { readonly status: "rejected"; readonly errors: readonly ExpressionError[] };

/**
 * Parses and type-checks an expression against the inputs that it may name. What is known to fail always (a division by a constant zero, a
 * constant negative result) is rejected here. Never throws, whatever the text.
 */
export function compileExpression(expression: string, inputs: readonly InputType[]): Compilation {
  if (expression.length > maxExpressionLength) {
    const message = `the expression is ${expression.length} characters long, at most ${maxExpressionLength} are taken`;
    return rejected({ message, offset: maxExpressionLength });
  }
  const parsed = parseExpression(expression);
  if (!("ast" in parsed)) return rejected(parsed);
  const compiler = new ExpressionCompiler(inputs);
  const term = compiler.compile(parsed.ast);
  if (term === undefined) return { status: "rejected", errors: compiler.errors };
  const offset = parsed.ast.start;
  if (term.type === "bool") {
    const message = "the result is true or false, not a number; write … ? 1 : 0";
    return rejected({ message, offset });
  }
  const program: Program = {
    expression,
    reads: compiler.reads,
    evaluate: (activation) => evaluateTerm(term, activation),
  };
  const constant = term.isConstant ? program.evaluate({}) : undefined;
  if (constant?.status === "error") return rejected({ message: constant.reason, offset });
  return { status: "compiled", program };
}

function rejected(error: ExpressionError): Compilation {
  return { status: "rejected", errors: [error] };
}

/** The library's parser; what it throws says what it expected, and where. */
function parseExpression(expression: string): ParseResult | ExpressionError {
  try {
    return parse(expression);
  } catch (reason) {
    if (!(reason instanceof ParseError)) throw reason;
    const summary = `${reason.summary.charAt(0).toLowerCase()}${reason.summary.slice(1)}`;
    return { message: summary, offset: reason.range?.start ?? expression.length };
  }
}

function evaluateTerm(term: NumericTerm, activation: Activation): ProgramResult {
  try {
    const value = term.evaluate(activation);
    if (value < 0) {
      return { status: "error", reason: `the result is ${value}; a metric is never negative` };
    }
    // IEEE 754 has a negative zero; adding zero makes it the plain one.
    return { status: "value", value: value + 0 };
  } catch (reason) {
    if (!(reason instanceof ExpressionFault)) throw reason;
    return { status: "error", reason: reason.message };
  }
}
