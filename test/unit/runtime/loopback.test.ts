import { describe, expect, it } from "vitest";
import { isLoopbackAddress, isLoopbackHost } from "../../../src/runtime/loopback.ts";

describe("isLoopbackAddress", () => {
  it.each<[string | undefined, boolean]>([
    ["127.0.0.1", true],
    ["127.255.255.254", true],
    ["::1", true],
    ["0:0:0:0:0:0:0:1", true],
    ["::", false],
    ["127.1", false],
    ["::ffff:127.0.0.1", true],
    ["::ffff:10.0.0.1", false],
    ["128.0.0.1", false],
    ["0.0.0.0", false],
    ["10.0.0.1", false],
    ["localhost", false],
    ["", false],
    [undefined, false],
  ])("%s: %s", (address, expected) => {
    expect(isLoopbackAddress(address)).toBe(expected);
  });
});

describe("isLoopbackHost", () => {
  it.each<[string | undefined, boolean]>([
    ["localhost", true],
    ["LOCALHOST:8080", true],
    ["127.0.0.1:8080", true],
    ["[::1]:8080", true],
    ["[::1]", true],
    ["attacker.example", false],
    ["localhost.attacker.example:8080", false],
    ["10.0.0.1:8080", false],
    ["localhost:8080:1", false],
    ["", false],
    [undefined, false],
  ])("%s: %s", (host, expected) => {
    expect(isLoopbackHost(host)).toBe(expected);
  });
});
