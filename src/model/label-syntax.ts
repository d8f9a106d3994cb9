const namePattern = /^[A-Za-z0-9](?:[-_.A-Za-z0-9]*[A-Za-z0-9])?$/u;
const subdomainPattern = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/u;
const maxNameLength = 63;
const maxPrefixLength = 253;

/** Whether a text can be a label's key: an optional DNS-1123 subdomain and slash, then a name (upstream: apimachinery `util/validation`, IsQualifiedName). */
export function isLabelKey(text: string): boolean {
  const slash = text.indexOf("/");
  const prefix = slash < 0 ? undefined : text.slice(0, slash);
  const name = text.slice(slash + 1);
  const isPrefixValid =
    prefix === undefined || (prefix.length <= maxPrefixLength && subdomainPattern.test(prefix));
  return isPrefixValid && name.length <= maxNameLength && namePattern.test(name);
}

/** Whether a text can be a label's value: empty, or of the shape of a name (upstream: apimachinery `util/validation`, IsValidLabelValue). */
export function isLabelValue(text: string): boolean {
  return text === "" || (text.length <= maxNameLength && namePattern.test(text));
}
