import { expect, test } from "vitest";
import { LogThrottle } from "../../../src/apiserver/log-throttle.ts";
import { RecentCache } from "../../../src/apiserver/recent-cache.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";

test("what was made is remembered, and never more than the capacity", () => {
  const made: string[] = [];
  const cache = new RecentCache(4, (key) => {
    made.push(key);
    return key.length;
  });
  for (const key of ["a", "b", "c", "d", "a", "d"]) expect(cache.get(key)).toBe(1);
  expect(made).toEqual(["a", "b", "c", "d"]);
  cache.get("e");
  for (const key of ["c", "d", "e"]) cache.get(key);
  expect(made).toEqual(["a", "b", "c", "d", "e"]);
  cache.get("a");
  expect(made.at(-1)).toBe("a");
});

test("a key that is too long is made anew each time", () => {
  let made = 0;
  const cache = new RecentCache(4, () => (made += 1));
  const key = "x".repeat(513);
  cache.get(key);
  cache.get(key);
  expect(made).toBe(2);
});

test("long keys leave less room: what all of them take together is bounded", () => {
  let made = 0;
  const cache = new RecentCache(64, () => (made += 1));
  const keys = Array.from({ length: 64 }, (_, index) => String(index).padStart(512, "x"));
  for (const key of keys) cache.get(key);
  expect(made).toBe(64);
  // 64 keys of 64 characters on average are as much as 8 of 512.
  for (const key of keys.toReversed()) cache.get(key);
  expect(made - 64).toBeGreaterThanOrEqual(64 - 8);
});

test("a line passes once per interval and tells how many were held back", async () => {
  const clock = new FakeClock();
  const throttle = new LogThrottle(clock, 1000);
  expect(throttle.admit("a")).toBe(0);
  expect(throttle.admit("a")).toBeUndefined();
  expect(throttle.admit("a")).toBeUndefined();
  expect(throttle.admit("b")).toBe(0);
  await clock.advance(1000);
  expect(throttle.admit("a")).toBe(2);
  expect(throttle.admit("b")).toBe(0);
});
