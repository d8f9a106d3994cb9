/** Metric labels: name to value, both non-empty Kubernetes label syntax. Absent labels are missing keys. */
export type Labels = Readonly<Record<string, string>>;

/**
 * Identity of a label set: the same text for the same pairs whatever their order, never equal for different pairs.
 * An empty set gives `""`.
 */
export function canonicalLabels(labels: Labels): string {
  return Object.keys(labels)
    .sort()
    .map((key) => `${key}=${labels[key] ?? ""}`)
    .join(",");
}
