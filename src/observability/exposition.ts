/** Text format of Prometheus, version 0.0.4. */
export const prometheusContentType = "text/plain; version=0.0.4; charset=utf-8";
/** OpenMetrics text format, version 1.0.0. */
export const openMetricsContentType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/**
 * Whether a scraper prefers OpenMetrics: it names `application/openmetrics-text` with a weight above 0 and no smaller than that of
 * `text/plain`. Without a header, or with one that cannot be read, it does not.
 */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  let openMetrics = 0;
  let plain = 0;
  for (const range of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    if (type === "application/openmetrics-text") {
      openMetrics = Math.max(openMetrics, weightOf(parameters));
    } else if (type === "text/plain") {
      plain = Math.max(plain, weightOf(parameters));
    }
  }
  return openMetrics > 0 && openMetrics >= plain;
}

/**
 * The Prometheus text format as OpenMetrics (OpenMetrics 1.0, "Text format"): a counter's family is named without `_total`, quotes in
 * help texts are escaped, no line is empty, and the last one is `# EOF`. A counter whose samples lack `_total` is of unknown type there.
 *
 * prom-client can write OpenMetrics itself, but renames the counters of the registry when it does (prom-client: lib/registry.js).
 */
export function openMetricsFromText(text: string): string {
  const lines = text.split("\n").filter((line) => line !== "");
  const counters = new Set(
    lines.flatMap((line) => /^# TYPE (\S+_total) counter$/u.exec(line)?.[1] ?? []),
  );
  const rewritten = lines.map((line) => rewriteLine(line, counters));
  return `${rewritten.join("\n")}\n# EOF\n`;
}

function rewriteLine(line: string, counters: ReadonlySet<string>): string {
  const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) ?(.*)$/u.exec(line) ?? [];
  if (keyword === undefined || name === undefined || rest === undefined) return line;
  const family = counters.has(name) ? name.slice(0, -"_total".length) : name;
  if (keyword === "HELP") return `# HELP ${family} ${rest.replaceAll('"', String.raw`\"`)}`;
  return `# TYPE ${family} ${rest === "counter" && family === name ? "unknown" : rest}`;
}

/** Weight of a media range, 0 to 1 (RFC 9110, 12.4.2); 1 when it has none, 0 when it cannot be read. */
function weightOf(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => parameter.startsWith("q="));
  if (weight === undefined) return 1;
  return /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/u.test(weight) ? Number(weight.slice(2)) : 0;
}
