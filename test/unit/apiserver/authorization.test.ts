import { describe, expect, test } from "vitest";
import type { UserInfo } from "../../../src/apiserver/authenticator.ts";
import { createDelegatedAuthorization } from "../../../src/apiserver/authorization.ts";
import type { SubjectAccessReviewStatus } from "../../../src/apiserver/authorization.ts";
import type { RequestAttributes } from "../../../src/apiserver/authorizer.ts";
import { subjectAccessReviewSpec } from "../../../src/apiserver/subject-access-review-spec.ts";
import type { SubjectAccessReviewSpec } from "../../../src/apiserver/subject-access-review-spec.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";

const user: UserInfo = { name: "jane", groups: ["system:authenticated"], extra: {} };
const at = (path: string): RequestAttributes => ({ kind: "NonResource", path, verb: "get" });
const read: RequestAttributes & { kind: "Resource" } = {
  kind: "Resource",
  verb: "list",
  group: "external.metrics.k8s.io",
  version: "v1beta1",
  namespace: "default",
  resource: "queue_depth",
  name: "",
  subresource: "",
};

function authorizerOver(
  answer: () => SubjectAccessReviewStatus | Promise<SubjectAccessReviewStatus>,
) {
  const clock = new FakeClock();
  const asked: SubjectAccessReviewSpec[] = [];
  const reviewer = {
    async review(spec: SubjectAccessReviewSpec) {
      asked.push(spec);
      return await answer();
    },
  };
  return { clock, asked, authorizer: createDelegatedAuthorization({ reviewer, clock }) };
}

describe("decisions", () => {
  const cases: readonly { title: string; status: SubjectAccessReviewStatus; decision: object }[] = [
    {
      title: "allowed",
      status: { allowed: true, reason: "RBAC" },
      decision: { status: "allowed" },
    },
    {
      title: "denied",
      status: { allowed: false, denied: true, reason: "no" },
      decision: { status: "denied", reason: "no" },
    },
    { title: "no opinion", status: { allowed: false }, decision: { status: "denied", reason: "" } },
    {
      title: "no opinion with an error",
      status: { allowed: false, evaluationError: "x" },
      decision: { status: "denied", reason: "" },
    },
    {
      title: "both",
      status: { allowed: true, denied: true },
      decision: { status: "error", reason: "access review answered both allowed and denied" },
    },
  ];
  test.each(cases)("$title", async ({ status, decision }) => {
    const { authorizer } = authorizerOver(() => status);
    expect(await authorizer.authorize(user, read)).toEqual(decision);
  });

  test("the superuser group and the probes are allowed without a question", () => {
    const { authorizer, asked } = authorizerOver(() => ({ allowed: false }));
    const superuser = { ...user, groups: ["a", "system:masters"] };
    expect(authorizer.authorize(superuser, read)).toEqual({ status: "allowed" });
    for (const path of ["/healthz", "/livez", "/readyz"]) {
      expect(authorizer.authorize(user, at(path))).toEqual({ status: "allowed" });
    }
    expect(asked).toEqual([]);
  });

  test("a longer path of a probe is asked about", async () => {
    const { authorizer } = authorizerOver(() => ({ allowed: false }));
    expect(await authorizer.authorize(user, at("/readyz/"))).toEqual({
      status: "denied",
      reason: "",
    });
  });

  test("a question without an answer is an error that is not remembered", async () => {
    const { authorizer, asked } = authorizerOver(() => Promise.reject(new Error("away")));
    const error = { status: "error", reason: "access review failed: away" };
    expect(await authorizer.authorize(user, read)).toEqual(error);
    expect(await authorizer.authorize(user, read)).toEqual(error);
    expect(asked).toHaveLength(2);
  });
});

describe("what kube-apiserver has let through", () => {
  const isWide = (spec?: SubjectAccessReviewSpec) => spec?.resourceAttributes?.["resource"] === "*";

  test("is asked for as a whole: one review for every metric of every namespace in ten seconds", async () => {
    const { authorizer, asked, clock } = authorizerOver(() => ({ allowed: true }));
    await authorizer.authorize(user, read, "FrontProxy");
    const other = { ...read, namespace: "other", resource: "orders" };
    expect(authorizer.authorize(user, other, "FrontProxy")).toEqual({ status: "allowed" });
    expect(asked.map(isWide)).toEqual([true]);
    await clock.advance(10_000);
    expect(authorizer.authorize(user, other, "FrontProxy")).toBeInstanceOf(Promise);
  });

  test("is asked for by name when the whole is denied or cannot be told", async () => {
    for (const first of [{ allowed: false }, { allowed: true, denied: true }]) {
      const answers = [first, { allowed: true }];
      const { authorizer, asked } = authorizerOver(() => answers.shift() ?? { allowed: false });
      expect(await authorizer.authorize(user, read, "FrontProxy")).toEqual({ status: "allowed" });
      expect(asked.map(isWide)).toEqual([true, false]);
    }
  });

  test.each(["get", "watch", "create"])(
    "is asked for by name when the verb is %s",
    async (verb) => {
      const { authorizer, asked } = authorizerOver(() => ({ allowed: true }));
      await authorizer.authorize(user, { ...read, verb }, "FrontProxy");
      expect(asked.map(isWide)).toEqual([false]);
    },
  );

  test("tells nothing about a direct request of the same user", async () => {
    const answers = [{ allowed: true }, { allowed: false }];
    const { authorizer, asked } = authorizerOver(() => answers.shift() ?? { allowed: true });
    await authorizer.authorize(user, read, "FrontProxy");
    expect(await authorizer.authorize(user, read)).toEqual({ status: "denied", reason: "" });
    expect(asked.map(isWide)).toEqual([true, false]);
  });
});

describe("memory", () => {
  test("a remembered decision is answered at once, for ten seconds", async () => {
    const { authorizer, asked, clock } = authorizerOver(() => ({ allowed: true }));
    await authorizer.authorize(user, read);
    await clock.advance(9_999);
    expect(authorizer.authorize({ ...user }, { ...read })).toEqual({ status: "allowed" });
    await clock.advance(1);
    expect(authorizer.authorize(user, read)).toBeInstanceOf(Promise);
    expect(asked).toHaveLength(2);
  });

  const others: readonly { title: string; user?: Partial<UserInfo>; attributes?: object }[] = [
    { title: "name", user: { name: "bob" } },
    { title: "uid", user: { uid: "1" } },
    { title: "groups", user: { groups: [] } },
    { title: "extra", user: { extra: { scopes: ["x"] } } },
    { title: "namespace", attributes: { namespace: "other" } },
    { title: "verb", attributes: { verb: "get" } },
    { title: "resource", attributes: { resource: "other" } },
    {
      title: "selector",
      attributes: {
        labelSelector: { requirements: [{ key: "a", operator: "Exists", values: [] }] },
      },
    },
  ];
  test.each(others)("another $title is another question", async ({ user: changed, attributes }) => {
    const { authorizer, asked } = authorizerOver(() => ({ allowed: true }));
    await authorizer.authorize(user, read);
    await authorizer.authorize({ ...user, ...changed }, { ...read, ...attributes });
    expect(asked).toHaveLength(2);
  });

  test("at most 8,192 decisions are kept, the least recently used goes first", async () => {
    const { authorizer, asked } = authorizerOver(() => ({ allowed: true }));
    for (let index = 0; index < 8_192; index += 1)
      await authorizer.authorize(user, at(`/${index}`));
    await authorizer.authorize(user, at("/0"));
    await authorizer.authorize(user, at("/one-more"));
    expect(asked).toHaveLength(8_193);
    expect(authorizer.authorize(user, at("/0"))).toEqual({ status: "allowed" });
    expect(authorizer.authorize(user, at("/1"))).toBeInstanceOf(Promise);
  });

  test("a long question is kept, one of 10,000 characters is not", async () => {
    const { authorizer, asked } = authorizerOver(() => ({ allowed: true }));
    for (const length of [9_000, 10_000]) {
      await authorizer.authorize(user, at("x".repeat(length)));
      await authorizer.authorize(user, at("x".repeat(length)));
    }
    expect(asked).toHaveLength(3);
  });

  test("questions under way are bounded", () => {
    const { authorizer } = authorizerOver(() => new Promise(() => undefined));
    for (let index = 0; index < 512; index += 1) void authorizer.authorize(user, at(`/${index}`));
    expect(authorizer.authorize(user, at("/0"))).toBeInstanceOf(Promise);
    const error = { status: "error", reason: "too many access reviews under way" };
    expect(authorizer.authorize(user, at("/more"))).toEqual(error);
  });
});

describe("the question on the wire", () => {
  test("a read with everything", () => {
    const asking = { name: "jane", uid: "7", groups: ["a"], extra: { k: ["v"] } };
    const requirements = [
      { key: "a", operator: "Equals", values: ["1"] },
      { key: "b", operator: "DoubleEquals", values: ["1"] },
      { key: "c", operator: "In", values: ["1", "2"] },
      { key: "d", operator: "NotEquals", values: ["1"] },
      { key: "e", operator: "NotIn", values: ["1", "2"] },
      { key: "f", operator: "Exists", values: [] },
      { key: "g", operator: "DoesNotExist", values: [] },
      { key: "h", operator: "GreaterThan", values: ["1"] },
      { key: "i", operator: "LessThan", values: ["1"] },
    ] as const;
    expect(subjectAccessReviewSpec(asking, { ...read, labelSelector: { requirements } })).toEqual({
      user: "jane",
      uid: "7",
      groups: ["a"],
      extra: { k: ["v"] },
      resourceAttributes: {
        namespace: "default",
        verb: "list",
        group: "external.metrics.k8s.io",
        version: "v1beta1",
        resource: "queue_depth",
        labelSelector: {
          requirements: [
            { key: "a", operator: "In", values: ["1"] },
            { key: "b", operator: "In", values: ["1"] },
            { key: "c", operator: "In", values: ["1", "2"] },
            { key: "d", operator: "NotIn", values: ["1"] },
            { key: "e", operator: "NotIn", values: ["1", "2"] },
            { key: "f", operator: "Exists" },
            { key: "g", operator: "DoesNotExist" },
          ],
        },
      },
    });
  });

  test("a path", () => {
    const bare = { name: "jane", groups: [], extra: {} };
    expect(subjectAccessReviewSpec(bare, at("/apis"))).toEqual({
      user: "jane",
      nonResourceAttributes: { path: "/apis", verb: "get" },
    });
  });
});
