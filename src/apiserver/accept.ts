/** One clause of an Accept header (RFC 9110, section 12.5.1), lower-cased but for parameter values. */
export interface AcceptClause {
  readonly mediaType: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** 0 to 1; 1 when the clause names none. */
  readonly quality: number;
}

/**
 * The clauses in the order in which they are to be tried: by quality, then by position; those with quality 0 are left out.
 * A missing or empty header accepts everything.
 */
export function parseAccept(header: string): readonly AcceptClause[] {
  const clauses = header
    .split(",")
    .map((text) => parseClause(text.trim()))
    .filter(({ mediaType }) => mediaType !== "");
  if (clauses.length === 0) return [{ mediaType: "*/*", parameters: {}, quality: 1 }];
  return clauses.filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality);
}

function parseClause(text: string): AcceptClause {
  const [mediaType = "", ...rest] = text.split(";").map((part) => part.trim());
  const parameters = new Map<string, string>();
  let quality = 1;
  for (const part of rest) {
    const equals = part.indexOf("=");
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase();
    const value = equals < 0 ? "" : unquote(part.slice(equals + 1).trim());
    if (name === "q") quality = parseQuality(value);
    else if (name !== "") parameters.set(name, value);
  }
  return {
    mediaType: mediaType.toLowerCase(),
    parameters: Object.fromEntries(parameters),
    quality,
  };
}

/** 0 to 1; anything else counts as 0: a clause that cannot be read is not one we may follow. */
function parseQuality(text: string): number {
  return /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/u.test(text) ? Number(text) : 0;
}

function unquote(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}
