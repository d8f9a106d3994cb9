/** What a selector's text is made of. */
export type SelectorToken =
  "Identifier" | "End" | "(" | ")" | "," | "!" | "=" | "==" | "!=" | ">" | "<" | "in" | "notin";

/** A token and the text it was read from. */
export interface ScannedItem {
  readonly token: SelectorToken;
  readonly literal: string;
}

/** One token after optional white space: a symbol, combined greedily, or a word up to white space or a symbol. */
const itemPattern = /[ \t\r\n]*(?:(==|!=|[=!(),><])|([^ \t\r\n=!(),><]+))/uy;

/**
 * Splits a selector's text into tokens; never fails, since whatever is no symbol and no white space is a word
 * (upstream: apimachinery `labels/selector.go`, Lexer).
 */
export function scanSelector(text: string): readonly ScannedItem[] {
  const items: ScannedItem[] = [];
  const pattern = new RegExp(itemPattern);
  for (;;) {
    const match = pattern.exec(text);
    if (match === null) return items;
    const [, symbol, word] = match;
    if (symbol !== undefined) items.push({ token: symbol as SelectorToken, literal: symbol });
    else if (word === "in" || word === "notin") items.push({ token: word, literal: word });
    else if (word !== undefined) items.push({ token: "Identifier", literal: word });
  }
}
