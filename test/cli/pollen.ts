import { spawn } from "node:child_process"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect } from "vitest"
import { tokenPattern } from "../../local/simulator/server/state/tokenText.ts"

const main = fileURLToPath(new URL("../../local/main.ts", import.meta.url))

/** What the commands have in common is compiled once for all of them. */
const compileCache = join(tmpdir(), "pollen-compile-cache")

export interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Starts the command as a person would, without a terminal, with some environment variables more. */
export const startPollenWith = (
  environment: Readonly<Record<string, string>>,
  ...parameters: ReadonlyArray<string>
) => {
  const child = spawn(process.execPath, [main, ...parameters], {
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own, as a terminal gives to what it runs.
    detached: true,
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache, ...environment },
  })
  // A test that fails leaves nothing behind that outlives the run.
  const interrupt = () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, "SIGINT")
  }
  process.once("exit", interrupt)
  child.once("exit", () => process.removeListener("exit", interrupt))
  const said = { out: "", err: "" }
  let tell = () => {}
  const hear = (stream: "out" | "err") => (chunk: Buffer) => {
    said[stream] += chunk.toString()
    tell()
  }
  child.stdout.on("data", hear("out"))
  child.stderr.on("data", hear("err"))
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (code) => {
      // Whatever the command was asked for: what a run prints is read by nobody else.
      expect(said.out + said.err).not.toMatch(/not disposed properly/)
      expect(said.out + said.err).not.toMatch(tokenPattern)
      resolve({ code, ...said })
    })
  })
  return {
    pid: child.pid,
    outcome,
    /** What it has printed on stdout, once that matches; rejects when the command ends before. */
    prints: (pattern: RegExp) =>
      new Promise<string>((resolve, reject) => {
        tell = () => pattern.test(said.out) && resolve(said.out)
        tell()
        outcome.then(({ err }) => reject(new Error(`ended without printing ${pattern}: ${err}`)), reject)
      }),
    /** Ctrl-C, which a terminal sends to the whole group; the outcome follows. */
    stop: () => {
      interrupt()
      return outcome
    },
  }
}

/** Starts the command as a person would, without a terminal. */
export const startPollen = (...parameters: ReadonlyArray<string>) => startPollenWith({}, ...parameters)

/** Runs the command to its end. */
export const pollen = (...parameters: ReadonlyArray<string>) => startPollen(...parameters).outcome

/** A server on a port of its own, and that port. */
export const listen = (): Promise<{ readonly port: number; readonly close: () => Promise<void> }> =>
  new Promise((resolve) => {
    const server = createServer()
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve({
        port: typeof address === "object" && address !== null ? address.port : 0,
        close: () => new Promise((closed) => server.close(() => closed())),
      })
    })
  })
