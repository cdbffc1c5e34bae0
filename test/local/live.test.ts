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

/** The lines of one provider's client, and where the simulator takes the place of the real provider. */
const devVars = (provider: "spotify" | "youtube", { client }: Simulator) =>
  Object.entries({
    CLIENT_ID: "simulator-client",
    CLIENT_SECRET: "simulator-secret",
    API_URL: client.endpoints[provider].api,
    TOKEN_URL: client.endpoints[provider].token,
  })
    .map(([name, value]) => `${provider.toUpperCase()}_${name}=${value}\n`)
    .join("")

describe("pollen start --live", () => {
  it.each([
    [
      "of both providers where it has none",
      "",
      ["SPOTIFY_CLIENT_ID=", "SPOTIFY_CLIENT_SECRET=", "YOUTUBE_CLIENT_ID=", "YOUTUBE_CLIENT_SECRET="],
    ],
    ["of the one of which it has a part", "SPOTIFY_CLIENT_ID=known\nYOUTUBE_CLIENT_ID=\n", ["SPOTIFY_CLIENT_SECRET="]],
  ])("names the lines that it lacks %s, and starts nothing", async (_, text, lines) => {
    const file = join(stateDir, "dev.vars")
    await writeFile(file, text)
    const { code, out, err } = await pollen("start", "--live", "--dev-vars", file, "--state-dir", stateDir)
    expect({ code, out }).toEqual({ code: 1, out: "" })
    const [sentence, ...missing] = err.trimEnd().split("\n")
    expect(sentence).toContain(file)
    expect(missing).toEqual(lines)
  })

  it("delivers by one provider's client ids, refuses the other, runs cron, answers operators, keeps tokens and feed for the next time, and leaves no secret of a worker behind", async () => {
    const simulator = await startSimulator({ seed: 5 })
    const file = join(stateDir, "dev.vars")
    await writeFile(file, devVars("spotify", simulator))
    const show = await simulator.client.createSource({ provider: "spotify", items: 2 })
    await simulator.client.createPeople([{ id: "me", sources: [show] }])
    const { port, close } = await listen()
    await close()
    const start = async () => {
      const command = startPollen("start", "--live", "--dev-vars", file, "--state-dir", stateDir, "--port", `${port}`)
      const told = await command.prints(/Ctrl-C/)
      const [, bearer = ""] = /TOKEN=(\S+)/.exec(told) ?? []
      const [, cronUrl = ""] = /curl -sX POST (\S+)/.exec(told) ?? []
      const ask = async (method: string, path: string, body?: unknown) => {
        const headers = { authorization: `Bearer ${bearer}`, "content-type": "application/json" }
        const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
        const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
        return { status: response.status, body: (await response.json()) as Record<string, unknown> }
      }
      return { ...command, told, cronUrl, ask }
    }
    const first = await start()
    expect(first.told).toContain("/v1/accounts/spotify/token")
    expect(first.told).not.toContain("/v1/accounts/youtube/token")
    expect(
      await first.ask("PUT", "/v1/accounts/youtube/token", await simulator.client.grant("me", "youtube")),
    ).toMatchObject({
      status: 500,
      body: {
        detail: expect.stringMatching(/^YOUTUBE_CLIENT_ID and YOUTUBE_CLIENT_SECRET of the core worker must be set/),
      },
    })
    const grant = await simulator.client.grant("me", "spotify")
    expect(await first.ask("PUT", "/v1/accounts/spotify/token", grant)).toMatchObject({ status: 200 })
    expect(await first.ask("POST", "/v1/poll")).toMatchObject({ body: { accounts: [{ outcome: "polled" }] } })
    const run = await fetch(first.cronUrl, { method: "POST" })
    expect(await run.json()).toMatchObject({ cron_run: { failed: 0, isComplete: true } })
    const operated = await pollen("user", "me", "--state-dir", stateDir)
    expect(operated).toMatchObject({ code: 0, out: expect.stringMatching(/spotify +object .* holds/) })
    const second = await pollen("start", "--live", "--dev-vars", file, "--state-dir", stateDir, "--port", "0")
    expect(second).toMatchObject({ code: 1, out: "", err: expect.stringContaining("runs already") })
    expect(await first.stop()).toMatchObject({ code: 0, err: "" })
    expect(await readdir(stateDir)).not.toContain("live")

    const again = await start()
    const { body } = await again.ask("GET", "/v1/feed")
    expect(body["items"]).toHaveLength(2)
    expect(await again.ask("GET", "/v1/status")).toMatchObject({ body: { accounts: [{ state: "connected" }] } })
    expect(await again.stop()).toMatchObject({ code: 0 })
    await simulator.close()
  }, 300_000)
})
