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
