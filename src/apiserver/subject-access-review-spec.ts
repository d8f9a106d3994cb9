import type { LabelSelector, Requirement, SelectorOperator } from "../model/label-selector.ts";
import type { UserInfo } from "./authenticator.ts";
import type { RequestAttributes } from "./authorizer.ts";

/** One condition as `metav1.LabelSelectorRequirement` writes it. */
interface SpecRequirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values?: readonly string[];
}

/** `spec` of an `authorization.k8s.io/v1` SubjectAccessReview; keys as on the wire, absent where empty. */
export interface SubjectAccessReviewSpec {
  readonly user: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
  readonly resourceAttributes?: Readonly<
    Record<string, string | { readonly requirements: readonly SpecRequirement[] }>
  >;
  readonly nonResourceAttributes?: { readonly path: string; readonly verb: string };
}

/** Puts the question in the cluster's words (upstream: apiserver `authorizer/webhook`, Authorize). */
export function subjectAccessReviewSpec(
  user: UserInfo,
  attributes: RequestAttributes,
): SubjectAccessReviewSpec {
  return {
    user: user.name,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    ...(user.groups.length === 0 ? {} : { groups: user.groups }),
    ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
    ...(attributes.kind === "NonResource"
      ? { nonResourceAttributes: { path: attributes.path, verb: attributes.verb } }
      : { resourceAttributes: resourceAttributes(attributes) }),
  };
}

function resourceAttributes(
  attributes: RequestAttributes & { readonly kind: "Resource" },
): NonNullable<SubjectAccessReviewSpec["resourceAttributes"]> {
  const { namespace, verb, group, version, resource, subresource, name } = attributes;
  const named = Object.entries({ namespace, verb, group, version, resource, subresource, name });
  const requirements = specRequirements(attributes.labelSelector);
  return {
    ...Object.fromEntries(named.filter(([, value]) => value !== "")),
    ...(requirements.length === 0 ? {} : { labelSelector: { requirements } }),
  };
}

/** Conditions that the review has no word for are left out, which asks for more than is needed and so never allows too much. */
function specRequirements(selector: LabelSelector | undefined): readonly SpecRequirement[] {
  return (selector?.requirements ?? []).flatMap((requirement) => {
    const operator = specOperator(requirement.operator);
    return operator === undefined ? [] : [specRequirement(requirement, operator)];
  });
}

function specRequirement(
  { key, values }: Requirement,
  operator: SpecRequirement["operator"],
): SpecRequirement {
  return values.length === 0 ? { key, operator } : { key, operator, values };
}

function specOperator(operator: SelectorOperator): SpecRequirement["operator"] | undefined {
  switch (operator) {
    case "Equals":
    case "DoubleEquals":
    case "In":
      return "In";
    case "NotEquals":
    case "NotIn":
      return "NotIn";
    case "Exists":
    case "DoesNotExist":
      return operator;
    case "GreaterThan":
    case "LessThan":
      return undefined;
  }
}
