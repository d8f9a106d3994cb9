import { serialize } from "@marcbachmann/cel-js";
import { ExpressionFault } from "./environment.ts";
import { expressionFunctions } from "./functions.ts";
import {
  arithmeticTerm,
  callTerm,
  comparisonTerm,
  conditionalTerm,
  fieldTerm,
  hasTerm,
  logicalTerm,
  negativeTerm,
  notTerm,
} from "./terms.ts";
import type { ASTNode } from "@marcbachmann/cel-js";
import type { ArithmeticOperator, ComparisonOperator } from "./arithmetic.ts";
import type { BooleanTerm, InputType, NumericTerm, Term } from "./environment.ts";
import type { FieldReference } from "./terms.ts";

/** A finding in an expression, and where: the offset, in UTF-16 units from 0, of the part that it is about. */
export interface ExpressionError {
  readonly message: string;
  readonly offset: number;
  /** The name that is none of the inputs', when that is the finding. */
  readonly unknownInput?: string;
}

/** A node of the tree whose operator is one of these. */
type Node<Operator extends ASTNode["op"]> = Extract<ASTNode, { readonly op: Operator }>;

/** Deepest nesting; a sum of as many parts is as deep, because it nests to the left. Bounds the stack. */
const maxDepth = 200;

const comparisonOperators: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">="]);
const arithmeticOperators: ReadonlySet<string> = new Set(["+", "-", "*", "/", "%"]);

/** What is said about the parts of CEL that expressions do not have, by operator of the tree. */
const refusals: ReadonlyMap<string, string> = new Map([
  ["list", "lists are not available"],
  ["map", "maps are not available"],
  ["in", "`in` is not available"],
  ["[]", "indexing is not available; a field is written input.field"],
]);

function isComparison(node: ASTNode): node is Node<ComparisonOperator> {
  return comparisonOperators.has(node.op);
}

function isArithmetic(node: ASTNode): node is Node<ArithmeticOperator> {
  return arithmeticOperators.has(node.op);
}

/** The part of an expression as text, for messages; cut off where it is long. */
function textOf(node: ASTNode): string {
  const text = serialize(node);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function list(names: Iterable<string>): string {
  return [...names].join(", ");
}

/**
 * Turns the tree of one expression into a checked term. Types and their rules are CEL's (upstream: cel-spec `doc/langdef.md`), with three
 * differences: an int beside a double counts as a double, a result that is not finite is an error wherever it arises, and there are numbers
 * and truth values only. All errors are collected; a part with an error gives undefined and is not reported again by what contains it.
 */
export class ExpressionCompiler {
  readonly #inputs: ReadonlyMap<string, readonly string[]>;
  readonly #errors: ExpressionError[] = [];
  #depth = 0;
  readonly #reads = new Map<string, FieldReference>();

  constructor(inputs: readonly InputType[]) {
    this.#inputs = new Map(inputs.map(({ name, fields }) => [name, fields]));
  }

  /** What was found wrong so far, in the order of the tree. */
  get errors(): readonly ExpressionError[] {
    return this.#errors;
  }

  /** Every field that the expression names, each once. */
  get reads(): readonly FieldReference[] {
    return [...this.#reads.values()];
  }

  /** Checks a part and everything below it. A constant part is evaluated here, so that its faults are known when it is accepted. */
  compile(node: ASTNode): Term | undefined {
    if (this.#depth >= maxDepth) return this.#fail(node, `nested deeper than ${maxDepth} levels`);
    this.#depth += 1;
    const term = this.#compileNode(node);
    this.#depth -= 1;
    if (term?.isConstant !== true) return term;
    try {
      return constantTerm(term);
    } catch (reason) {
      if (!(reason instanceof ExpressionFault)) throw reason;
      return this.#fail(node, reason.message);
    }
  }

  #compileNode(node: ASTNode): Term | undefined {
    if (isComparison(node)) return this.#comparison(node);
    if (isArithmetic(node)) return this.#arithmetic(node);
    switch (node.op) {
      case "value":
        return this.#literal(node);
      case ".":
        return this.#field(node);
      case "call":
        return this.#call(node);
      case "?:":
        return this.#conditional(node);
      default:
        return this.#logical(node);
    }
  }

  #logical(node: ASTNode): Term | undefined {
    switch (node.op) {
      case "&&":
      case "||": {
        const left = this.#boolean(node.args[0], `${node.op} takes true or false`);
        const right = this.#boolean(node.args[1], `${node.op} takes true or false`);
        return left && right && logicalTerm(node.op, left, right);
      }
      case "!_": {
        const term = this.#boolean(node.args, "! takes true or false");
        return term && notTerm(term);
      }
      case "-_": {
        const term = this.#number(node.args, "- takes a number");
        return term && negativeTerm(term);
      }
      default:
        return this.#refuse(node);
    }
  }

  #fail(node: ASTNode, message: string): Term | undefined {
    this.#errors.push({ message, offset: node.pos });
    return undefined;
  }

  #refuse(node: ASTNode): Term | undefined {
    if (node.op === "id") return this.#refuseName(node, node.args);
    if (node.op === "rcall") {
      return this.#fail(node, `.${node.args[0]}() is not available; nor is any other method`);
    }
    return this.#fail(node, refusals.get(node.op) ?? `${node.op} is not available`);
  }

  #refuseName(node: ASTNode, name: string): Term | undefined {
    const fields = this.#inputs.get(name);
    if (fields !== undefined) {
      return this.#fail(node, `input "${name}" is not a number; its fields: ${list(fields)}`);
    }
    const message = `unknown input "${name}"; the inputs: ${list(this.#inputs.keys())}`;
    this.#errors.push({ message, offset: node.pos, unknownInput: name });
    return undefined;
  }

  #number(node: ASTNode, expectation: string): NumericTerm | undefined {
    const term = this.compile(node);
    if (term?.type === "bool") {
      this.#fail(node, `${expectation}, not ${textOf(node)}`);
      return undefined;
    }
    return term;
  }

  #boolean(node: ASTNode, expectation: string): BooleanTerm | undefined {
    const term = this.compile(node);
    if (term === undefined || term.type === "bool") return term;
    this.#fail(node, `${expectation}, not ${textOf(node)}`);
    return undefined;
  }

  #literal(node: Node<"value">): Term | undefined {
    const value = node.args;
    switch (typeof value) {
      case "boolean":
        return { type: "bool", isConstant: true, evaluate: () => value };
      case "number":
        return { type: "double", isConstant: true, evaluate: () => value };
      case "bigint":
        if (!Number.isSafeInteger(Number(value))) {
          return this.#fail(node, `${value.toString()} is beyond the integers that are exact`);
        }
        return { type: "int", isConstant: true, evaluate: () => Number(value) };
      default:
        return this.#fail(node, `${textOf(node)} is neither a number nor true nor false`);
    }
  }

  /** Resolves `input.field`; both must be declared. */
  #reference(node: ASTNode): FieldReference | undefined {
    if (node.op !== ".") {
      this.#fail(node, "has() takes a field: has(input.field)");
      return undefined;
    }
    const [receiver, field] = node.args;
    if (receiver.op !== "id") {
      this.#fail(node, `"${field}" does not follow an input; a field is written input.field`);
      return undefined;
    }
    const input = receiver.args;
    const fields = this.#inputs.get(input);
    if (fields === undefined) {
      this.#refuseName(receiver, input);
      return undefined;
    }
    if (!fields.includes(field)) {
      const message = `input "${input}" has no field "${field}"; its fields: ${list(fields)}`;
      this.#fail(node, message);
      return undefined;
    }
    const reference = { input, field };
    this.#reads.set(`${input}.${field}`, reference);
    return reference;
  }

  #field(node: Node<".">): Term | undefined {
    const reference = this.#reference(node);
    return reference && fieldTerm(reference);
  }

  #call(node: Node<"call">): Term | undefined {
    const [name, parts] = node.args;
    if (name === "has") return this.#has(node, parts);
    const called = expressionFunctions.get(name);
    if (called === undefined) {
      const known = list([...expressionFunctions.keys(), "has"]);
      return this.#fail(node, `function "${name}" is not available; the functions: ${known}`);
    }
    const terms = parts.map((part) => this.#number(part, `${name}() takes numbers`));
    const complete = terms.filter((term) => term !== undefined);
    if (complete.length < terms.length) return undefined;
    const term = callTerm(called, complete, textOf(node));
    return (
      term ??
      this.#fail(node, `${name}() is called with ${parts.length} arguments; it is ${called.usage}`)
    );
  }

  #has(node: ASTNode, parts: readonly ASTNode[]): Term | undefined {
    const [part, ...others] = parts;
    if (part === undefined || others.length > 0) {
      return this.#fail(node, "has() takes a field: has(input.field)");
    }
    const reference = this.#reference(part);
    return reference && hasTerm(reference);
  }

  #conditional(node: Node<"?:">): Term | undefined {
    const condition = this.#boolean(node.args[0], "the condition before ? is true or false");
    const yes = this.compile(node.args[1]);
    const no = this.compile(node.args[2]);
    if (condition === undefined || yes === undefined || no === undefined) return undefined;
    const term = conditionalTerm(condition, yes, no);
    return term ?? this.#fail(node, `the two sides of : differ, ${yes.type} and ${no.type}`);
  }

  #arithmetic(node: Node<ArithmeticOperator>): Term | undefined {
    const left = this.#number(node.args[0], `${node.op} takes numbers`);
    const right = this.#number(node.args[1], `${node.op} takes numbers`);
    if (left === undefined || right === undefined) return undefined;
    if (right.isConstant && isDivision(node.op) && right.evaluate({}) === 0) {
      return this.#fail(node.args[1], `${textOf(node)} divides by zero`);
    }
    const term = arithmeticTerm(node.op, [left, right], textOf(node));
    return term ?? this.#fail(node, `% takes integers; write int() around a field`);
  }

  #comparison(node: Node<ComparisonOperator>): Term | undefined {
    const [left, right] = [this.compile(node.args[0]), this.compile(node.args[1])];
    if (left === undefined || right === undefined) return undefined;
    const isEquality = node.op === "==" || node.op === "!=";
    const areNumbers = left.type !== "bool" && right.type !== "bool";
    if (areNumbers || (isEquality && left.type === right.type)) {
      return comparisonTerm(node.op, left, right);
    }
    return this.#fail(node, `${node.op} does not compare ${left.type} with ${right.type}`);
  }
}

function isDivision(operator: ArithmeticOperator): boolean {
  return operator === "/" || operator === "%";
}

/** The term with its value found once; throws the fault that it has. */
function constantTerm(term: Term): Term {
  if (term.type === "bool") {
    const constant = term.evaluate({});
    return { ...term, evaluate: () => constant };
  }
  const constant = term.evaluate({});
  return { ...term, evaluate: () => constant };
}
