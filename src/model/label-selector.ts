import { isLabelKey, isLabelValue } from "./label-syntax.ts";
import type { Labels } from "./labels.ts";
import { scanSelector } from "./selector-lexer.ts";
import type { ScannedItem, SelectorToken } from "./selector-lexer.ts";

/** How a requirement compares (upstream: apimachinery `selection/operator.go`). */
export type SelectorOperator =
  | "Equals"
  | "DoubleEquals"
  | "NotEquals"
  | "In"
  | "NotIn"
  | "Exists"
  | "DoesNotExist"
  | "GreaterThan"
  | "LessThan";

/** One condition on one label key. */
export interface Requirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  /** Sorted, without duplicates; empty for `Exists` and `DoesNotExist`. */
  readonly values: readonly string[];
}

/** All requirements must hold; none means everything. */
export interface LabelSelector {
  readonly requirements: readonly Requirement[];
}

/** What became of a selector text. A malformed one is answered with 400; the message is upstream's wording. */
export type SelectorResult =
  | { readonly status: "parsed"; readonly selector: LabelSelector }
  | { readonly status: "malformed"; readonly message: string };

/**
 * Reads the text of a `labelSelector` parameter. Empty means everything. Accepts and rejects exactly what Kubernetes does
 * (upstream: apimachinery `labels/selector.go`, Parse); requirements come back sorted by key.
 */
export function parseLabelSelector(text: string): SelectorResult {
  try {
    return { status: "parsed", selector: { requirements: new SelectorParser(text).parse() } };
  } catch (reason) {
    if (reason instanceof SelectorSyntaxError)
      return { status: "malformed", message: reason.message };
    throw reason;
  }
}

/**
 * Whether a label set meets every requirement. A key that is absent meets `NotEquals`, `NotIn` and `DoesNotExist`; a label that is no
 * 64-bit integer meets neither `GreaterThan` nor `LessThan`.
 */
export function matchesLabels(selector: LabelSelector, labels: Labels): boolean {
  return selector.requirements.every((requirement) => matchesRequirement(requirement, labels));
}

/**
 * The selector in Kubernetes' own spelling, requirements sorted by key and values sorted: what the HPA controller sends, and a key under
 * which to remember an answer. Everything gives `""`.
 */
export function canonicalSelector(selector: LabelSelector): string {
  return [...selector.requirements].sort(byKey).map(canonicalRequirement).join(",");
}

/** Where a token stands: `in` and `notin` are ordinary words except where an operator is due. */
type ParserContext = "KeyAndOperator" | "Values";

const endItem: ScannedItem = { token: "End", literal: "" };

const operators: Readonly<Partial<Record<SelectorToken, SelectorOperator>>> = {
  in: "In",
  notin: "NotIn",
  "=": "Equals",
  "==": "DoubleEquals",
  "!=": "NotEquals",
  ">": "GreaterThan",
  "<": "LessThan",
};

const int64Limit = 2n ** 63n;
/** A selector that does not parse; never leaves this file. */
class SelectorSyntaxError extends Error {}

/** Recursive descent with one token of lookahead (upstream: apimachinery `labels/selector.go`, Parser). */
class SelectorParser {
  readonly #items: readonly ScannedItem[];
  #position = 0;

  constructor(text: string) {
    this.#items = scanSelector(text);
  }

  parse(): readonly Requirement[] {
    const requirements: Requirement[] = [];
    const first = this.#lookahead();
    if (first.token === "End") return requirements;
    if (!startsRequirement(first))
      throw expected(first, ", expected: !, identifier, or 'end of string'");
    for (;;) {
      requirements.push(this.#requirement());
      const separator = this.#consume();
      if (separator.token === "End") return requirements.sort(byKey);
      if (separator.token !== ",") throw expected(separator, ", expected: ',' or 'end of string'");
      const next = this.#lookahead();
      if (!startsRequirement(next)) throw expected(next, ", expected: identifier after ','");
    }
  }

  #requirement(): Requirement {
    try {
      return this.#unguardedRequirement();
    } catch (reason) {
      if (!(reason instanceof SelectorSyntaxError)) throw reason;
      throw new SelectorSyntaxError(`unable to parse requirement: ${reason.message}`);
    }
  }

  #unguardedRequirement(): Requirement {
    let item = this.#consume();
    const isNegated = item.token === "!";
    if (isNegated) item = this.#consume();
    if (item.token !== "Identifier") throw expected(item, ", expected: identifier");
    const key = item.literal;
    validateKey(key);
    if (isNegated) return { key, operator: "DoesNotExist", values: [] };
    const next = this.#lookahead().token;
    if (next === "End" || next === ",") return { key, operator: "Exists", values: [] };
    const operatorItem = this.#consume("KeyAndOperator");
    const operator = operators[operatorItem.token];
    if (operator === undefined)
      throw expected(operatorItem, ", expected: in, notin, =, ==, !=, gt, lt");
    const values =
      operator === "In" || operator === "NotIn" ? this.#values() : [this.#exactValue()];
    validateValues(key, operator, values);
    return { key, operator, values: [...new Set(values)].sort() };
  }

  #exactValue(): string {
    const next = this.#lookahead();
    if (next.token === "End" || next.token === ",") return "";
    this.#consume();
    if (next.token !== "Identifier") throw expected(next, ", expected: identifier");
    return next.literal;
  }

  #values(): readonly string[] {
    const open = this.#consume();
    if (open.token !== "(") throw expected(open, " expected: '('");
    const first = this.#lookahead();
    if (first.token === ")") {
      this.#consume();
      return [""];
    }
    if (first.token !== "Identifier" && first.token !== ",")
      throw expected(first, ", expected: ',', ')' or identifier");
    return this.#valueList();
  }

  /** Up to and including the closing parenthesis. Nothing before, between or after commas is the empty value. */
  #valueList(): readonly string[] {
    const values: string[] = [];
    for (;;) {
      const item = this.#consume();
      const next = this.#lookahead();
      if (item.token === "Identifier") {
        values.push(item.literal);
        if (next.token !== "," && next.token !== ")")
          throw expected(next, ", expected: ',' or ')'");
      } else if (item.token === ",") {
        if (values.length === 0 || next.token === "," || next.token === ")") values.push("");
      } else {
        throw expected(item, ", expected: ',', or identifier");
      }
      if (next.token === ")") {
        this.#consume();
        return values;
      }
    }
  }

  #lookahead(): ScannedItem {
    return inContext(this.#items[this.#position] ?? endItem, "Values");
  }

  #consume(context: ParserContext = "Values"): ScannedItem {
    const item = this.#items[this.#position] ?? endItem;
    this.#position += 1;
    return inContext(item, context);
  }
}

function inContext(item: ScannedItem, context: ParserContext): ScannedItem {
  const isKeyword = item.token === "in" || item.token === "notin";
  return isKeyword && context === "Values" ? { token: "Identifier", literal: item.literal } : item;
}

function startsRequirement(item: ScannedItem): boolean {
  return item.token === "Identifier" || item.token === "!";
}

function expected(item: ScannedItem, what: string): SelectorSyntaxError {
  return new SelectorSyntaxError(`found '${item.literal}'${what}`);
}

function validateKey(key: string): void {
  if (!isLabelKey(key))
    throw new SelectorSyntaxError(`key: Invalid value: "${key}": must be a label key`);
}

function validateValues(key: string, operator: SelectorOperator, values: readonly string[]): void {
  for (const value of values) {
    const isOrdering = operator === "GreaterThan" || operator === "LessThan";
    if (isOrdering && int64FromText(value) === undefined)
      throw new SelectorSyntaxError(
        `values[0]: Invalid value: "${value}": for 'Gt', 'Lt' operators, the value must be an integer`,
      );
    if (!isLabelValue(value))
      throw new SelectorSyntaxError(
        `values[0][${key}]: Invalid value: "${value}": must be a label value`,
      );
  }
}

/** As Go's `strconv.ParseInt(text, 10, 64)`; undefined where that fails. */
function int64FromText(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]{1,64}$/u.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/u, ""));
  return value >= -int64Limit && value < int64Limit ? value : undefined;
}

type Matcher = (requirement: Requirement, value: string | undefined) => boolean;

const isOneOf: Matcher = ({ values }, value) => value !== undefined && values.includes(value);
const isNoneOf: Matcher = (requirement, value) => !isOneOf(requirement, value);
const isInOrder: Matcher = (requirement, value) =>
  value !== undefined && compares(requirement, value);

/** By operator; the value is undefined where the key is absent. */
const matchers: Readonly<Record<SelectorOperator, Matcher>> = {
  Equals: isOneOf,
  DoubleEquals: isOneOf,
  In: isOneOf,
  NotEquals: isNoneOf,
  NotIn: isNoneOf,
  Exists: (_requirement, value) => value !== undefined,
  DoesNotExist: (_requirement, value) => value === undefined,
  GreaterThan: isInOrder,
  LessThan: isInOrder,
};

function matchesRequirement(requirement: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
  return matchers[requirement.operator](requirement, value);
}

function compares(requirement: Requirement, value: string): boolean {
  const label = int64FromText(value);
  const bound = int64FromText(requirement.values[0] ?? "");
  if (label === undefined || bound === undefined) return false;
  return requirement.operator === "GreaterThan" ? label > bound : label < bound;
}

function byKey(a: Requirement, b: Requirement): number {
  if (a.key === b.key) return 0;
  return a.key < b.key ? -1 : 1;
}

const infixes = {
  Equals: "=",
  DoubleEquals: "==",
  NotEquals: "!=",
  In: " in ",
  NotIn: " notin ",
  GreaterThan: ">",
  LessThan: "<",
} as const;

function canonicalRequirement({ key, operator, values }: Requirement): string {
  if (operator === "Exists") return key;
  if (operator === "DoesNotExist") return `!${key}`;
  const list = [...values].sort().join(",");
  const isSet = operator === "In" || operator === "NotIn";
  return `${key}${infixes[operator]}${isSet ? `(${list})` : list}`;
}
