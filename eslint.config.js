import js from "@eslint/js";
import jsdoc from "eslint-plugin-jsdoc";
import tseslint from "typescript-eslint";

/** What src/ must take as an argument instead of reading it from the process. */
const injectedGlobals = [
  { name: "setTimeout", message: "Use Clock.sleep or Clock.timeout from runtime/clock.ts." },
  { name: "setInterval", message: "Use Clock.sleep in a loop that something owns." },
  { name: "setImmediate", message: "Use Clock.sleep from runtime/clock.ts." },
  { name: "Date", message: "Use Clock.now, or model/timestamp.ts to format." },
  {
    name: "fetch",
    message: "Network access belongs to a connection; it takes its dispatcher there.",
  },
];
const injectedProperties = [
  {
    object: "AbortSignal",
    property: "timeout",
    message: "Use Clock.timeout: fake time cannot drive this one.",
  },
  { object: "Math", property: "random", message: "Take a Random as an argument." },
  {
    object: "process",
    property: "env",
    message: "main.ts reads the environment and passes it on.",
  },
  { object: "performance", property: "now", message: "Use Clock.monotonic." },
];

const scripts = ["scripts/**/*.mjs", "bin/**/*.js"];

export default tseslint.config(
  {
    ignores: ["dist/", "coverage/", "node_modules/", ".dependency-cruiser.cjs", "eslint.config.js"],
  },
  js.configs.recommended,
  {
    // Plain JavaScript that runs before anything is installed; no types to check.
    files: scripts,
    languageOptions: {
      globals: { URL: false, console: false, performance: false, process: false },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: { eqeqeq: "error" },
  },
  {
    ignores: scripts,
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    linterOptions: { reportUnusedDisableDirectives: "error", noInlineConfig: false },
    rules: {
      "@typescript-eslint/consistent-type-definitions": ["error", "interface"],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Named exports only." },
        { selector: "TSEnumDeclaration", message: "Use a union of strings." },
        {
          selector: "ExportAllDeclaration",
          message: "No barrels: import the file that defines the thing.",
        },
      ],
      eqeqeq: "error",
    },
  },
  {
    files: ["src/**/*.ts"],
    plugins: { jsdoc },
    rules: {
      complexity: ["error", 10],
      "max-depth": ["error", 3],
      "max-params": ["error", 4],
      "max-lines": ["error", { max: 300 }],
      "max-lines-per-function": ["error", { max: 60 }],
      "no-console": "error",
      "no-restricted-globals": ["error", ...injectedGlobals],
      "no-restricted-properties": ["error", ...injectedProperties],
      "no-restricted-imports": [
        "error",
        {
          paths: [
            { name: "timers/promises", message: "Use Clock.sleep." },
            { name: "node:timers/promises", message: "Use Clock.sleep." },
          ],
        },
      ],
      "jsdoc/require-jsdoc": [
        "error",
        {
          publicOnly: true,
          require: {
            ClassDeclaration: true,
            FunctionDeclaration: true,
            ArrowFunctionExpression: false,
            MethodDefinition: false,
          },
          contexts: [
            "TSInterfaceDeclaration",
            "TSTypeAliasDeclaration",
            "ExportNamedDeclaration > VariableDeclaration",
          ],
        },
      ],
    },
  },
  {
    files: ["src/runtime/clock.ts", "src/model/timestamp.ts", "src/main.ts", "src/demo/**/*.ts"],
    rules: { "no-restricted-globals": "off", "no-restricted-properties": "off" },
  },
  {
    files: ["test/**/*.ts", "*.config.ts"],
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/explicit-module-boundary-types": "off",
      "no-restricted-syntax": "off",
    },
  },
);
