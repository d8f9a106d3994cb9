import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  userFromIdentityHeaders,
  withLowerCaseHeaders,
} from "../../../src/apiserver/identity-headers.ts";

const config = withLowerCaseHeaders({
  clientCaPem: "",
  allowedNames: [],
  usernameHeaders: ["X-Remote-User", "X-Other-User", ""],
  uidHeaders: ["X-Remote-Uid"],
  groupHeaders: ["X-Remote-Group", "X-Other-Group"],
  extraHeaderPrefixes: ["X-Remote-Extra-", "X-Other-Extra-", ""],
});

const latin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
/** client-go: transport.headerKeyEscape, for bytes that a header name may not hold. */
const escaped = (key: string): string =>
  [...Buffer.from(key, "utf8")]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      const isLegal = /[a-z0-9!#$&'*+.^_`|~-]/u.test(character);
      return isLegal ? character : `%${byte.toString(16).padStart(2, "0")}`;
    })
    .join("");

test("what a front proxy encodes comes back", () => {
  // Header values cannot hold control characters, and Kubernetes demands lower-case keys.
  const value = fc
    .string({ unit: "grapheme", minLength: 1 })
    .filter((text) => !/\p{Cc}/u.test(text));
  const key = value.map((text) => text.toLowerCase());
  const extra = fc.dictionary(key, fc.array(value, { minLength: 1 }));
  fc.assert(
    fc.property(value, fc.array(value), extra, (name, groups, wanted) => {
      const headers = [
        ...["x-remote-user", latin1(name)],
        ...groups.flatMap((group) => ["x-remote-group", latin1(group)]),
        ...Object.entries(wanted).flatMap(([k, values]) =>
          values.flatMap((v) => [`x-remote-extra-${escaped(k)}`.toLowerCase(), latin1(v)]),
        ),
      ];
      expect(userFromIdentityHeaders(headers, config)).toEqual({
        name,
        groups,
        extra: Object.fromEntries(Object.entries(wanted)),
      });
    }),
  );
});

describe("order and absence", () => {
  const none = { groups: [], extra: {} };
  const cases = [
    { title: "no user header", headers: ["x-remote-group", "a"], user: undefined },
    { title: "an empty user", headers: ["x-remote-user", ""], user: undefined },
    {
      title: "the first configured header wins",
      headers: ["x-other-user", "b", "x-remote-user", "a"],
      user: { name: "a", ...none },
    },
    {
      title: "an empty one gives way to the next",
      headers: ["x-remote-user", "", "x-other-user", "b"],
      user: { name: "b", ...none },
    },
    {
      title: "the first of repeated ones wins",
      headers: ["x-remote-user", "a", "x-remote-user", "b"],
      user: { name: "a", ...none },
    },
    {
      title: "groups by header, then by place",
      headers: [
        "x-remote-user",
        "a",
        "x-other-group",
        "3",
        "x-remote-group",
        "1",
        "x-remote-group",
        "2",
      ],
      user: { name: "a", groups: ["1", "2", "3"], extra: {} },
    },
    {
      title: "an empty extra value is kept",
      headers: ["x-remote-user", "a", "x-remote-extra-k", ""],
      user: { name: "a", groups: [], extra: { k: [""] } },
    },
    {
      title: "extra of several prefixes is joined by key",
      headers: ["x-remote-user", "a", "x-other-extra-k", "2", "x-remote-extra-k", "1"],
      user: { name: "a", groups: [], extra: { k: ["1", "2"] } },
    },
    {
      title: "bytes that are not UTF-8",
      headers: ["x-remote-user", "a\u00ff"],
      user: { name: "a\ufffd", ...none },
    },
  ];
  test.each(cases)("$title", ({ headers, user }) => {
    expect(userFromIdentityHeaders(headers, config)).toEqual(user);
  });
});
