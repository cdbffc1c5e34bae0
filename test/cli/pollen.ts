import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))

/** Runs the command as a person would, to its end. */
export const pollen = (...parameters: ReadonlyArray<string>) =>
  new Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...parameters], { stdio: ["ignore", "pipe", "pipe"] })
    const said = { out: "", err: "" }
    child.stdout.on("data", (chunk: Buffer) => (said.out += chunk.toString()))
    child.stderr.on("data", (chunk: Buffer) => (said.err += chunk.toString()))
    child.once("error", reject)
    child.once("close", (code) => resolve({ code, ...said }))
  })
