import { isAlias, isMap, isNode, isScalar, isSeq } from "yaml";
import type { Document, Node, Pair, YAMLMap } from "yaml";
import { quoteText } from "./quote-text.ts";
import type { ConfigPath, Problem } from "./diagnostics.ts";
import { errorAt } from "./diagnostics.ts";

/** More than any configuration needs; a file may repeat a part by alias, not grow without bound by it. */
const maxAliases = 100;
const maxDepth = 32;
const decimal = /^[-+]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

/** What stands in a document beyond plain maps, lists and scalars. */
export interface WalkResult {
  /** Findings about the YAML itself: keys that are doubled or no text, aliases that lead nowhere, to themselves or to too much. */
  readonly problems: readonly Problem[];
  /** Numbers that other YAML readers take for another number: octal, hexadecimal, leading zeros. Findings of a schema at the same place say more. */
  readonly oddNumbers: readonly Problem[];
  /** Whether values can be taken out of the document: aliases are within bounds and resolve. */
  readonly isResolvable: boolean;
}

/** Visits every node of a document once. */
export function walkDocument(document: Document.Parsed): WalkResult {
  const walk = new DocumentWalk(document);
  walk.visit(document.contents, []);
  return walk;
}

class DocumentWalk implements WalkResult {
  readonly problems: Problem[] = [];
  readonly oddNumbers: Problem[] = [];
  isResolvable = true;
  #aliases = 0;
  readonly #document: Document.Parsed;
  readonly #ancestors = new Set<unknown>();

  constructor(document: Document.Parsed) {
    this.#document = document;
  }

  visit(node: unknown, path: ConfigPath): void {
    if (path.length > maxDepth) {
      this.#refuse(path, `nested deeper than ${maxDepth} levels`);
      return;
    }
    this.#ancestors.add(node);
    if (isMap(node)) this.#visitMap(node, path);
    else if (isSeq(node)) node.items.forEach((item, index) => this.visit(item, [...path, index]));
    else if (isAlias(node)) this.#visitAlias(node.resolve(this.#document), path);
    else if (isScalar(node) && typeof node.value === "number") this.#visitNumber(node.source, path);
    this.#ancestors.delete(node);
  }

  #visitMap(map: YAMLMap, path: ConfigPath): void {
    const seen = new Set<string>();
    for (const pair of map.items) {
      const key = this.#keyOf(pair, path);
      if (key === undefined) continue;
      const keyPath = [...path, key];
      // Objects take this key for something else than a key, and lose it.
      if (key === "__proto__")
        this.#report(pair.key, keyPath, 'the key "__proto__" is not possible');
      if (seen.has(key)) {
        this.#report(pair.key, keyPath, `duplicate key ${quoteText(key)}`);
      }
      seen.add(key);
      this.visit(pair.value, keyPath);
    }
  }

  #keyOf(pair: Pair, path: ConfigPath): string | undefined {
    const { key } = pair;
    if (isScalar(key) && typeof key.value === "string") return key.value;
    const shown = isScalar(key) ? (key.source ?? "nothing") : "a map, a list or an alias";
    this.#report(key, [...path, keyText(key)], `expected a text as the key; found ${shown}`);
    // Such keys are not the same key any more once they are turned into text.
    if (!isScalar(key) || key.value === null) this.isResolvable = false;
    return undefined;
  }

  #report(key: unknown, path: ConfigPath, message: string): void {
    const fileOffset = startOf(key);
    this.problems.push({
      ...errorAt(path, message),
      ...(fileOffset !== undefined && { fileOffset }),
    });
  }

  #visitAlias(anchored: Node | undefined, path: ConfigPath): void {
    this.#aliases += 1;
    if (anchored === undefined)
      this.#refuse(path, "no anchor of that name comes before this alias");
    else if (this.#ancestors.has(anchored)) this.#refuse(path, "this alias contains itself");
    else if (this.#aliases === maxAliases + 1) {
      this.#refuse(path, `more than ${maxAliases} aliases in one file`);
    }
  }

  #refuse(path: ConfigPath, message: string): void {
    this.isResolvable = false;
    this.problems.push(errorAt(path, message));
  }

  #visitNumber(source: string | undefined, path: ConfigPath): void {
    if (source === undefined || decimal.test(source)) return;
    const message = `expected a number in plain decimal digits, or a text in quotes; found ${source}`;
    this.oddNumbers.push(errorAt(path, message));
  }
}

/** Where a node starts in the file; undefined for what is not written there. */
export function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

/** A key as one step of a path; keys that are no text are shown as the text they look like. */
export function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}
