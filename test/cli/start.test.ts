import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { pollen } from "./pollen.ts"

let stateDir: string
beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "pollen-cli-"))
})
afterAll(() => rm(stateDir, { recursive: true }))

const listen = (): Promise<{ readonly port: number; readonly close: () => void }> =>
  new Promise((resolve) => {
    const server = createServer()
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve({ port: typeof address === "object" && address !== null ? address.port : 0, close: () => server.close() })
    })
  })

describe("pollen start", () => {
  it("explains itself", async () => {
    const { code, out } = await pollen("start", "--help")
    expect(code).toBe(0)
    for (const flag of ["users", "shows", "channels", "publish", "faults", "port", "once", "json", "live"]) {
      expect(out).toContain(`--${flag}`)
    }
  })

  it("answers a port in use with one sentence that says what to do", async () => {
    const { port, close } = await listen()
    const { code, out, err } = await pollen("start", "--once", "--port", String(port), "--state-dir", stateDir)
    close()
    expect(code).toBe(1)
    expect(out).toBe("")
    expect(err).toBe(
      `Port ${port} is in use: stop what listens there, or choose another with --port, for example --port ${port + 1}.\n`,
    )
  })

  it("says of a key that cannot be used where it is and how to make one, and does not repeat it", async () => {
    const damaged = await mkdtemp(join(tmpdir(), "pollen-cli-"))
    await writeFile(
      join(damaged, "keys.json"),
      JSON.stringify({ TOKEN_KEYS: "k1:c2hvcnQ=", GATEWAY_KEY: "x".repeat(32) }),
    )
    const { code, err } = await pollen("start", "--once", "--port", "0", "--state-dir", damaged)
    await rm(damaged, { recursive: true })
    expect(code).toBe(1)
    expect(err).toContain(join(damaged, "keys.json"))
    expect(err).toContain("openssl rand -base64 32")
    expect(err).not.toContain("c2hvcnQ=")
    expect(err).not.toMatch(/\n\s+at /)
  })

  it("says of a state folder that cannot be one what to do", async () => {
    const file = join(stateDir, "file")
    await writeFile(file, "")
    const { code, err } = await pollen("start", "--once", "--port", "0", "--state-dir", file)
    expect(code).toBe(1)
    expect(err).toBe(`${file} must be a folder: move away what is in its place and start again.\n`)
  })

  it("names the lines that --live lacks", async () => {
    const file = join(stateDir, "dev.vars")
    await writeFile(file, "SPOTIFY_CLIENT_ID=known\nYOUTUBE_CLIENT_ID=\n")
    const { code, err } = await pollen("start", "--live", "--dev-vars", file, "--state-dir", stateDir)
    expect(code).toBe(1)
    const [sentence, ...missing] = err.trimEnd().split("\n")
    expect(sentence).toContain(file)
    expect(missing).toEqual(["SPOTIFY_CLIENT_SECRET=", "YOUTUBE_CLIENT_ID=", "YOUTUBE_CLIENT_SECRET="])
  })

  it("delivers everything once with faults on, and prints the figures on the last line", async () => {
    const size = ["--users", "2", "--shows", "3", "--channels", "3", "--publish", "5"]
    const { code, out } = await pollen("start", "--once", "--json", "--port", "0", "--state-dir", stateDir, ...size)
    const figures: unknown = JSON.parse(out.trimEnd().split("\n").at(-1) ?? "")
    expect(figures).toMatchObject({
      users: 2,
      // One show and one channel are followed by both.
      sources: 10,
      published: 5,
      lost: 0,
      doubled: 0,
      providerRequests: { spotify: expect.any(Number), youtube: expect.any(Number) },
      idle: { d1Queries: 0, providerRequests: 2 },
    })
    expect(figures).toHaveProperty(
      "delivered",
      expect.toSatisfy((delivered: number) => delivered >= 5),
    )
    expect(figures).toHaveProperty(
      "refreshes",
      expect.toSatisfy((refreshes: number) => refreshes > 0),
    )
    expect(code).toBe(0)
  })
})
