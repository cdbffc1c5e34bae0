import { spawnSync } from "node:child_process"
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { codeOf, section } from "./document.ts"

const folder = mkdtempSync(join(tmpdir(), "pollen-deployment-"))
afterAll(() => rmSync(folder, { recursive: true }))

const configs = globSync(["wrangler.toml", "src/*/wrangler.toml"])

describe("each worker", () => {
  it.each(configs)("bundles as it would be deployed: %s", (config) => {
    const wrangler = join(process.cwd(), "node_modules/wrangler/bin/wrangler.js")
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [wrangler, "deploy", "--dry-run", "-c", config, "--outdir", join(folder, dirname(config))],
      { encoding: "utf8", env: { ...process.env, WRANGLER_SEND_METRICS: "false" } },
    )
    expect(stdout + stderr).toContain("--dry-run: exiting now")
    expect(stdout + stderr).not.toMatch(/\[WARNING\]|\[ERROR\]/)
    expect(status).toBe(0)
  })

  it.each(configs)("has no public address unless somebody gives it one: %s", (config) => {
    expect(readFileSync(config, "utf8")).toMatch(/^workers_dev = false$/m)
  })

  it("is deployed by a step of the page about deployment, which says where the database's id belongs", () => {
    const said = codeOf(section("docs/deployment.md", "The first deployment"))
    for (const config of configs) {
      expect(said).toContain(dirname(config) === "." ? "/" : dirname(config))
      expect(said).toContain(config === "wrangler.toml" ? "npx wrangler deploy" : `npx wrangler deploy -c ${config}`)
    }
  })
})
