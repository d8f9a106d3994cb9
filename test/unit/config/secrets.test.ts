import { describe, expect, it } from "vitest";
import { fileSecret, resolveSecret } from "../../../src/config/secrets.ts";

describe("secrets", () => {
  it("is read anew each time, so that a rotated file is seen", () => {
    let content = "one\n";
    const secret = fileSecret("/x", () => content);
    expect(secret.read()).toBe("one");
    content = "two\r\n";
    expect(secret.read()).toBe("two");
    content = "";
    expect(() => secret.read()).toThrow("file /x is empty");
  });

  it("loses one trailing newline and nothing else", () => {
    expect(fileSecret("/x", () => " a b \n\n").read()).toBe(" a b \n");
  });

  it("names the reference when there is no value", () => {
    const sources = {
      environment: { EMPTY: "" },
      readFile: (): string => {
        throw new Error("EIO");
      },
    };
    const read = (reference: { env?: string; file?: string }) => () =>
      resolveSecret(reference, sources).read();
    expect(read({ env: "NOPE" })).toThrow("environment variable NOPE is not set");
    expect(read({ env: "EMPTY" })).toThrow("environment variable EMPTY is empty");
    expect(read({ env: "toString" })).toThrow("environment variable toString is not set");
    expect(read({ file: "/x" })).toThrow("file /x cannot be read");
  });
});
