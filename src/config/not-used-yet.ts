import type { Config } from "./schema.ts";
import type { Problem } from "./diagnostics.ts";
import type { FilePart } from "./file-part.ts";

/** A warning at a key that files may hold already and that has no effect so far; `reason` says what is not there yet. */
export function notUsedYet({ path }: FilePart<unknown>, reason: string): Problem {
  const message = `accepted, but not used yet: ${reason}`;
  return { severity: "warning", path, target: "key", message };
}

/** The settings of connections and of the process that have no effect so far. */
export function settingsNotUsedYet(file: FilePart<Config>): readonly Problem[] {
  const rules = file
    .at("connections")
    .elements()
    .map((connection) => connection.at("allow"))
    .filter((allow) => allow.elements().length > 0);
  const console = file.at("ops").at("console").at("enabled");
  return [
    ...rules.map((allow) => notUsedYet(allow, "no ScalingSignals are read")),
    ...(console.value === true ? [notUsedYet(console, "there is no console")] : []),
  ];
}
