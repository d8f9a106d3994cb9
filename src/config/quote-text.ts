/** A text of the file in quotes, cut off where it is long; just `text` when it looks like an address with a user in it, which may hold a password. */
export function quoteText(text: string): string {
  return /@|:\/\//.test(text) ? "text" : JSON.stringify(shortenText(text));
}

/** At most 64 characters of a text. */
export function shortenText(text: string): string {
  return text.length > 64 ? `${text.slice(0, 61)}...` : text;
}
