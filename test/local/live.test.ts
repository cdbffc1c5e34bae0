import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type Simulator, startSimulator } from "../../local/simulator/server/start.ts"
import { listen, pollen, startPollen } from "../cli/pollen.ts"

let stateDir: string
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "pollen-live-"))
})
afterEach(() => rm(stateDir, { recursive: true }))

/** The client's lines, and where the stand-in takes the place of the real providers. */
const devVars = ({ client }: Simulator) =>
  [
    "SPOTIFY_CLIENT_ID=simulator-client",
    "SPOTIFY_CLIENT_SECRET=simulator-secret",
    `SPOTIFY_API_URL=${client.endpoints.spotify.api}`,
    `SPOTIFY_TOKEN_URL=${client.endpoints.spotify.token}`,
    "YOUTUBE_CLIENT_ID=simulator-client",
    "YOUTUBE_CLIENT_SECRET=simulator-secret",
    `YOUTUBE_API_URL=${client.endpoints.youtube.api}`,
    `YOUTUBE_TOKEN_URL=${client.endpoints.youtube.token}`,
  ].join("\n")

describe("pollen start --live", () => {
  it("names the lines that it lacks, and starts nothing", async () => {
    const file = join(stateDir, "dev.vars")
    await writeFile(file, "SPOTIFY_CLIENT_ID=known\nYOUTUBE_CLIENT_ID=\n")
    const { code, out, err } = await pollen("start", "--live", "--dev-vars", file, "--state-dir", stateDir)
    expect({ code, out }).toEqual({ code: 1, out: "" })
    const [sentence, ...missing] = err.trimEnd().split("\n")
    expect(sentence).toContain(file)
    expect(missing).toEqual(["SPOTIFY_CLIENT_SECRET=", "YOUTUBE_CLIENT_ID=", "YOUTUBE_CLIENT_SECRET="])
  })

  it("delivers by the client ids of the file, keeps tokens and feed for the next time, and leaves no secret of a worker behind", async () => {
    const simulator = await startSimulator({ seed: 5 })
    const file = join(stateDir, "dev.vars")
    await writeFile(file, devVars(simulator))
    const show = await simulator.client.createSource({ provider: "spotify", items: 2 })
    await simulator.client.createPeople([{ id: "me", sources: [show] }])
    const { port, close } = await listen()
    await close()
    const start = async () => {
      const command = startPollen("start", "--live", "--dev-vars", file, "--state-dir", stateDir, "--port", `${port}`)
      const [, bearer = ""] = /TOKEN=(\S+)/.exec(await command.prints(/Ctrl-C/)) ?? []
      const ask = async (method: string, path: string, body?: unknown) => {
        const headers = { authorization: `Bearer ${bearer}`, "content-type": "application/json" }
        const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
        const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
        return { status: response.status, body: (await response.json()) as Record<string, unknown> }
      }
      return { ...command, ask }
    }
    const first = await start()
    const grant = await simulator.client.grant("me", "spotify")
    expect(await first.ask("PUT", "/v1/accounts/spotify/token", grant)).toMatchObject({ status: 200 })
    expect(await first.ask("POST", "/v1/poll")).toMatchObject({ body: { accounts: [{ outcome: "polled" }] } })
    expect(await first.stop()).toMatchObject({ code: 0, err: "" })
    expect(await readdir(stateDir)).not.toContain("live")

    const again = await start()
    const { body } = await again.ask("GET", "/v1/feed")
    expect(body["items"]).toHaveLength(2)
    expect(await again.ask("GET", "/v1/status")).toMatchObject({ body: { accounts: [{ state: "connected" }] } })
    expect(await again.stop()).toMatchObject({ code: 0 })
    await simulator.close()
  })
})
