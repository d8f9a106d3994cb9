// The layers of src/ and the places where a vendor package may appear. docs/architecture.md draws the same picture.

/** Layer `name` may import itself and `may`; anything else under src/ is an error. */
const layer = (name, ...may) => ({
  name: `${name}-imports-only-below`,
  severity: "error",
  from: { path: `^src/${name}/` },
  to: { path: "^src/", pathNot: [name, ...may].map((part) => `^src/${part}`) },
});

/** Package `name` is imported at run time in `places` only, so that replacing it touches one folder. */
const confine = (name, ...places) => ({
  name: `confine-${name.replace(/[@/]/g, "-")}`,
  severity: "error",
  from: { path: "^src/", pathNot: places.map((place) => `^src/${place}`) },
  to: { path: `node_modules/${name}/`, dependencyTypesNot: ["type-only"] },
});

const below = ["model/", "runtime/"];

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "src-imports-no-tests",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|scripts)/" },
    },
    {
      name: "no-dev-dependencies-in-src",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/demo/" },
      to: {
        dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"],
        dependencyTypesNot: ["type-only"],
      },
    },
    layer("model"),
    layer("runtime", "model/"),
    layer("observability", ...below),
    layer("schema", ...below),
    layer("certificates", ...below),
    layer("store", ...below),
    layer("connections", "schema/", ...below),
    layer("sources", "connections/", "schema/", ...below),
    layer("poller", "store/", "sources/source.ts", "sources/query.ts", ...below),
    layer("signals", "store/", "schema/", ...below),
    layer("apiserver", "certificates/", ...below),
    layer("kubernetes", ...below),
    layer("config", "connections/", "sources/", "signals/", "schema/", ...below),
    layer("simulator", "signals/", "store/", ...below),
    layer(
      "app",
      ...["config/", "kubernetes/", "apiserver/", "poller/", "signals/", "observability/"],
      ...["sources/", "connections/", "certificates/", "store/"],
      ...below,
    ),
    layer(
      "demo",
      "app/",
      "simulator/",
      "cli/output.ts",
      "certificates/",
      "observability/",
      ...below,
    ),
    layer(
      "cli",
      "app/",
      "config/",
      "demo/",
      "simulator/",
      "signals/",
      "sources/",
      "observability/",
      ...below,
    ),
    {
      name: "sources-are-islands",
      severity: "error",
      from: { path: "^src/sources/([^/]+)/" },
      to: { path: "^src/sources/[^/]+/", pathNot: "^src/sources/$1/" },
    },
    {
      name: "connections-are-islands",
      severity: "error",
      from: { path: "^src/connections/([^/]+)/" },
      to: { path: "^src/connections/[^/]+/", pathNot: "^src/connections/$1/" },
    },
    {
      name: "config-files-load-no-client",
      severity: "error",
      from: { path: "^src/(sources|connections)/[^/]+/config\\.ts$" },
      to: {
        path: "node_modules/",
        pathNot: "node_modules/zod/",
        dependencyTypesNot: ["type-only"],
      },
    },
    confine("express", "apiserver/"),
    confine("ioredis", "connections/redis/"),
    confine("bullmq", "demo/"),
    confine("yaml", "config/", "apiserver/negotiation.ts", "kubernetes/kubeconfig.ts"),
    confine("pino", "observability/"),
    confine("prom-client", "observability/", "[a-z]+/metrics.ts"),
    confine("@marcbachmann/cel-js", "signals/"),
    confine("@peculiar/x509", "certificates/"),
    confine("commander", "cli/"),
    confine("zod", "schema/", "config/", "connections/", "sources/", "signals/", "kubernetes/"),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "types"],
    },
  },
};
