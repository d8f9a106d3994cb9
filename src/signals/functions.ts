import { intFromDouble } from "./arithmetic.ts";
import { createFault } from "./environment.ts";
import type { NumericTerm } from "./environment.ts";

type Evaluate = NumericTerm["evaluate"];

/** A function that expressions may call. All arguments are numbers; an int beside a double counts as a double. */
export interface ExpressionFunction {
  /** For messages: `clamp(value, lowest, highest)`. */
  readonly usage: string;
  /** Type of the result: that of the arguments taken together, or a fixed one. */
  readonly result: "same" | "int" | "double";
  /** Evaluation of a call with these arguments; undefined where the function does not take so many. */
  readonly build: (args: readonly Evaluate[], text: string) => Evaluate | undefined;
}

/** Most arguments of `min` and `max`. */
const maxArguments = 16;

/** A function of one argument. */
function unary(
  usage: string,
  result: ExpressionFunction["result"],
  create: (text: string) => (value: number) => number,
): ExpressionFunction {
  return {
    usage,
    result,
    build: ([value, ...others], text) => {
      if (value === undefined || others.length > 0) return undefined;
      const apply = create(text);
      return (activation) => apply(value(activation));
    },
  };
}

/** A function of two arguments or more, that combines them pair by pair. */
function variadic(
  usage: string,
  combine: (left: number, right: number) => number,
): ExpressionFunction {
  return {
    usage,
    result: "same",
    build: (args) => {
      if (args.length < 2 || args.length > maxArguments) return undefined;
      return args.reduce(
        (left, right) => (activation) => combine(left(activation), right(activation)),
      );
    },
  };
}

const clamp: ExpressionFunction = {
  usage: "clamp(value, lowest, highest)",
  result: "same",
  build: ([value, lowest, highest, ...others], text) => {
    if (value === undefined || lowest === undefined || highest === undefined) return undefined;
    if (others.length > 0) return undefined;
    const fault = createFault(`${text}: the lowest is above the highest`);
    return (activation) => {
      const low = lowest(activation);
      const high = highest(activation);
      if (low > high) throw fault();
      return Math.min(Math.max(value(activation), low), high);
    };
  },
};

/** Every function that expressions may call, by name. `has` is not one: it takes a field, not a value. */
export const expressionFunctions: ReadonlyMap<string, ExpressionFunction> = new Map([
  ["abs", unary("abs(value)", "same", () => Math.abs)],
  ["ceil", unary("ceil(value)", "same", () => Math.ceil)],
  ["clamp", clamp],
  ["double", unary("double(value)", "double", () => (value) => value)],
  ["floor", unary("floor(value)", "same", () => Math.floor)],
  ["int", unary("int(value)", "int", intFromDouble)],
  ["max", variadic("max(value, value, …)", Math.max)],
  ["min", variadic("min(value, value, …)", Math.min)],
]);
