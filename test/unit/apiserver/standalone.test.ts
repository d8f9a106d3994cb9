import { expect, test } from "vitest";
import { isLoopbackAddress } from "../../../src/apiserver/standalone.ts";

const cases = [
  { address: "127.0.0.1", isLoopback: true },
  { address: "127.255.0.7", isLoopback: true },
  { address: "::1", isLoopback: true },
  { address: "0:0:0:0:0:0:0:1", isLoopback: true },
  { address: "::ffff:127.0.0.1", isLoopback: true },
  { address: "0.0.0.0", isLoopback: false },
  { address: "::", isLoopback: false },
  { address: "::ffff:10.0.0.1", isLoopback: false },
  { address: "128.0.0.1", isLoopback: false },
  { address: "10.0.0.1", isLoopback: false },
  { address: "localhost", isLoopback: false },
  { address: "127.1", isLoopback: false },
  { address: "", isLoopback: false },
];
test.each(cases)("$address: loopback is $isLoopback", ({ address, isLoopback }) => {
  expect(isLoopbackAddress(address)).toBe(isLoopback);
});
