import { Secret } from "../runtime/secret.ts";
import { errorCode, errorFromUnknown } from "../runtime/errors.ts";
import type { SecretRef } from "../schema/secret-ref.ts";

/** Reads a whole file as text. Throws as `node:fs` does. Called again whenever the content may have changed. */
export type ReadFile = (path: string) => string;

/** Where secrets come from. */
export interface SecretSources {
  readonly readFile: ReadFile;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What is said about a file that cannot be read, by Node's error code. */
const fileFindings: ReadonlyMap<string | undefined, string> = new Map([
  ["ENOENT", "does not exist"],
  ["EACCES", "may not be read by this user"],
  ["EISDIR", "is a directory"],
  ["ENOTDIR", "does not exist"],
]);

/**
 * The secret behind a reference. Nothing is read yet: {@link Secret.read} does, each time anew, and throws an Error that names the
 * reference when the variable is not set, the file cannot be read, or the value is empty. One trailing newline of a file is dropped.
 */
export function resolveSecret(reference: SecretRef, sources: SecretSources): Secret {
  const { env, file } = reference;
  if (file !== undefined) return fileSecret(file, sources.readFile);
  const name = `environment variable ${env ?? ""}`;
  return new Secret(name, () => {
    const { environment } = sources;
    const value = Object.hasOwn(environment, env ?? "") ? environment[env ?? ""] : undefined;
    if (value === undefined) throw new Error(`${name} is not set`);
    return notEmpty(name, value);
  });
}

/** The content of a file as a secret, with the same rules; for keys and certificates too. */
export function fileSecret(path: string, readFile: ReadFile): Secret {
  const name = `file ${path}`;
  return new Secret(name, () => {
    const content = readNamedFile(path, readFile);
    return notEmpty(name, content.replace(/\r?\n$/, ""));
  });
}

/** The content of a file. Throws an Error that names the file and says in words why it cannot be read. */
export function readNamedFile(path: string, readFile: ReadFile): string {
  try {
    return readFile(path);
  } catch (reason) {
    throw readFailure(path, reason);
  }
}

/** Why a file cannot be read, in words: an Error that names it. */
export function readFailure(path: string, reason: unknown): Error {
  const finding = fileFindings.get(errorCode(errorFromUnknown(reason))) ?? "cannot be read";
  return new Error(`file ${path} ${finding}`, { cause: reason });
}

/** A value that is no secret but may stand where a reference may. */
export function plainSecret(value: string): Secret {
  return new Secret("text", () => value);
}

function notEmpty(name: string, value: string): string {
  if (value === "") throw new Error(`${name} is empty`);
  return value;
}
