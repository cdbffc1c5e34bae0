/**
 * Which room may import which: for each folder the folders that it may import besides itself. Imports go one way; a room that stands
 * nowhere here may import anything. CONTRIBUTING.md says what each room is for.
 */
export const arrows: Readonly<Record<string, ReadonlyArray<string>>> = {
  schema: [],
  "src/domain": [],
  "src/rpc": ["src/domain"],
  "src/http": ["src/domain", "src/rpc"],
  "src/providers": ["src/domain"],
  "src/feed": ["src/domain"],
  "src/budget": ["src/domain", "src/rpc", "src/providers"],
  "src/object": ["src/domain", "src/rpc", "src/providers", "src/feed", "src/budget", "schema", "migrations"],
  "src/move": ["src/domain", "src/rpc", "src/providers", "src/feed", "schema"],
  "src/hub": ["src/domain", "src/rpc", "src/providers", "src/feed", "src/budget", "src/object", "schema", "migrations"],
  "src/core": ["src/domain", "src/rpc", "src/providers", "src/budget", "src/object", "src/hub", "src/move", "schema"],
  "src/legacy": ["src/domain", "src/providers", "src/feed", "src/move", "schema"],
  "src/gateway": ["src/domain", "src/rpc", "src/http", "src/core", "schema"],
  "src/cron": ["src/domain", "src/rpc", "src/http", "src/core", "src/move", "src/legacy", "schema"],
  "src/migration": [
    "src/domain",
    "src/rpc",
    "src/http",
    "src/feed",
    "src/core",
    "src/move",
    "src/legacy",
    "schema",
    "migrations",
  ],
  "src/cli": ["src/domain", "src/rpc", "src/object", "src/gateway", "src/migration"],
  "local/simulator": [],
  local: ["src"],
  bench: ["src", "schema", "local"],
}

/** Libraries of a room that may not use any: a pattern of module names. */
export const libraries: Readonly<Record<string, RegExp>> = { "src/domain": /^effect(\/|$)/ }
