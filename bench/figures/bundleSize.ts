import { spawnSync } from "node:child_process"
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import type { Figure } from "../figure.ts"

const workers = {
  core: "wrangler.toml",
  gateway: "src/gateway/wrangler.toml",
  cron: "src/cron/wrangler.toml",
  migration: "src/migration/wrangler.toml",
}

/** Builds a worker as it is deployed, and returns what its modules take, compressed, in kibibytes. */
const sizeOf = (config: string, folder: string): number => {
  const outdir = join(folder, dirname(config))
  const wrangler = join(process.cwd(), "node_modules/wrangler/bin/wrangler.js")
  const parameters = [wrangler, "deploy", "--dry-run", "--minify", "-c", config, "--outdir", outdir]
  const { status, stderr } = spawnSync(process.execPath, parameters, {
    encoding: "utf8",
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  })
  if (status !== 0) throw new Error(`${config} could not be built: ${stderr.slice(0, 400)}`)
  const modules = globSync("**/*.{js,sql}", { cwd: outdir }).map((file) => readFileSync(join(outdir, file)))
  return Math.round(gzipSync(Buffer.concat(modules)).length / 1024)
}

export const bundleSize: Figure = {
  name: "bundle_kibibytes",
  says: "The largest worker, minified and compressed, is within the 3 MB that Cloudflare's free plan takes.",
  unit: "KiB",
  limit: 3 * 1024,
  bound: "atMost",
  measure: async (_stage, { tell }) => {
    const folder = mkdtempSync(join(tmpdir(), "pollen-bundles-"))
    try {
      const sizes = Object.entries(workers).map(([name, config]) => {
        tell(name)
        return [name, sizeOf(config, folder)] as const
      })
      const how = `wrangler deploy --dry-run --minify, gzip: ${sizes.map(([name, size]) => `${name} ${size} KiB`).join(", ")}`
      return {
        value: Math.max(...sizes.map(([, size]) => size)),
        how,
        samples: Object.fromEntries(sizes.map(([name, size]) => [name, [size]])),
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}
