import { describe, expect, test } from "vitest";
import {
  bearerTokenFrom,
  TokenAuthenticator,
} from "../../../src/apiserver/token-authentication.ts";
import type { TokenReviewStatus } from "../../../src/apiserver/token-authentication.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";

function authenticatorOver(
  answer: (token: string) => TokenReviewStatus | Promise<TokenReviewStatus>,
) {
  const asked: string[] = [];
  const clock = new FakeClock();
  const tokenReviewer = {
    async review(token: string) {
      asked.push(token);
      return await answer(token);
    },
  };
  return { asked, clock, authenticator: new TokenAuthenticator({ tokenReviewer, clock }) };
}

describe("bearerTokenFrom", () => {
  const cases = [
    { header: undefined, token: undefined },
    { header: "", token: undefined },
    { header: "Bearer", token: undefined },
    { header: "Bearer ", token: undefined },
    { header: "Bearer  two-spaces", token: undefined },
    { header: "Basic abc", token: undefined },
    { header: "Bearer abc", token: "abc" },
    { header: "bearer abc", token: "abc" },
    { header: "  BEARER abc  ", token: "abc" },
    { header: "Bearer abc def", token: "abc" },
  ];
  test.each(cases)("$header gives $token", ({ header, token }) => {
    expect(bearerTokenFrom(header)).toBe(token);
  });
});

describe("answers", () => {
  const failed = (detail: string) => ({ status: "failed", reason: `bearer token: ${detail}` });
  const cases: readonly { title: string; status: TokenReviewStatus; opinion: object }[] = [
    {
      title: "accepted",
      status: { authenticated: true, user: { username: "a", uid: "", groups: ["g"] } },
      opinion: { status: "authenticated", user: { name: "a", groups: ["g"], extra: {} } },
    },
    {
      title: "accepted without a user",
      status: { authenticated: true },
      opinion: failed("not accepted"),
    },
    {
      title: "accepted with an empty name",
      status: { authenticated: true, user: { username: "" } },
      opinion: failed("not accepted"),
    },
    {
      title: "not accepted",
      status: { authenticated: false, user: { username: "a" }, error: "expired" },
      opinion: failed("not accepted: expired"),
    },
  ];
  test.each(cases)("$title", async ({ status, opinion }) => {
    expect(await authenticatorOver(() => status).authenticator.authenticate("t")).toEqual(opinion);
  });
});

test("a remembered answer is given at once", async () => {
  const { authenticator, asked } = authenticatorOver(() => ({ authenticated: false }));
  await authenticator.authenticate("t");
  expect(authenticator.authenticate("t")).not.toBeInstanceOf(Promise);
  expect(asked).toEqual(["t"]);
});

test("a failed review is not remembered and does not show the token", async () => {
  const { authenticator, asked } = authenticatorOver(() => Promise.reject(new Error("away")));
  const opinion = { status: "failed", reason: "bearer token: review failed: away" };
  expect(await authenticator.authenticate("t")).toEqual(opinion);
  expect(await authenticator.authenticate("t")).toEqual(opinion);
  expect(asked).toHaveLength(2);
});

test("at most 8,192 answers are kept", async () => {
  const { authenticator } = authenticatorOver(() => ({ authenticated: false }));
  for (let index = 0; index < 8_300; index += 1) await authenticator.authenticate(`token-${index}`);
  expect(authenticator.cachedTokens).toBe(8_192);
});

test("reviews under way are bounded", () => {
  const { authenticator } = authenticatorOver(() => new Promise(() => undefined));
  for (let index = 0; index < 512; index += 1) void authenticator.authenticate(`token-${index}`);
  const opinion = { status: "failed", reason: "bearer token: too many reviews under way" };
  expect(authenticator.authenticate("more")).toEqual(opinion);
});
