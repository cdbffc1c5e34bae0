import { execSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { listen, pollen, startPollen } from "../cli/pollen.ts"

let stateDir: string
beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "pollen-cli-"))
})
afterAll(() => rm(stateDir, { recursive: true }))

/** State and parent of a process, as Linux tells: `Z` has ended and waits for its parent to notice. */
const processOf = (pid: number): readonly [state: string, parent: number] | undefined => {
  const file = `/proc/${pid}/stat`
  if (!existsSync(file)) return undefined
  const [state = "", parent] = readFileSync(file, "utf8").split(") ").at(-1)?.split(" ") ?? []
  return [state, Number(parent)]
}

/** The processes that a process has started; none where there is no `/proc`. */
const childrenOf = (parent: number | undefined): ReadonlyArray<number> => {
  if (!existsSync("/proc")) return []
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name))
  const children = all.map(Number).filter((pid) => processOf(pid)?.[1] === parent)
  expect(children.length).toBeGreaterThan(0)
  return children
}

const isRunning = (pid: number) => !["Z", undefined].includes(processOf(pid)?.[0])

describe("pollen start", () => {
  it("explains itself", async () => {
    const { code, out } = await pollen("start", "--help")
    expect(code).toBe(0)
    // What the main job is unless told: 25 people with 20 shows and 20 channels, 200 new items, 5 % faults.
    const usual = {
      ...{ users: 25, shows: 20, channels: 20, publish: 200, faults: 5, port: 8787 },
      legacy: 0, // legacy
    }
    for (const [flag, value] of Object.entries(usual)) {
      expect(out).toMatch(new RegExp(`--${flag} .*\\(${value} unless told\\)`))
    }
    for (const flag of ["once", "json", "live", "dev-vars", "state-dir"]) expect(out).toContain(`--${flag}`)
  })

  it("answers a port in use with one sentence that says what to do", async () => {
    const { port, close } = await listen()
    const { code, out, err } = await pollen("start", "--once", "--port", String(port), "--state-dir", stateDir)
    await close()
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

  it("says of a key that is missing where it belongs and what to do", async () => {
    const lacking = await mkdtemp(join(tmpdir(), "pollen-cli-"))
    await writeFile(join(lacking, "keys.json"), JSON.stringify({ GATEWAY_KEY: "x".repeat(32) }))
    const { code, out, err } = await pollen("start", "--once", "--port", "0", "--state-dir", lacking)
    await rm(lacking, { recursive: true })
    expect({ code, out }).toEqual({ code: 1, out: "" })
    expect(err).toBe(
      `${join(lacking, "keys.json")} must hold TOKEN_KEYS, a GATEWAY_KEY of at least 32 and an ADMIN_TOKEN of at least 32 characters: delete it to have all made anew.\n`,
    )
  })

  it("says of a state folder that cannot be one what to do", async () => {
    const file = join(stateDir, "file")
    await writeFile(file, "")
    const { code, err } = await pollen("start", "--once", "--port", "0", "--state-dir", file)
    expect(code).toBe(1)
    expect(err).toBe(`${file} must be a folder: move away what is in its place and start again.\n`)
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

  it("says at once of a state folder that can never be made that it cannot be written", async () => {
    const { code, err } = await pollen("start", "--once", "--port", "0", "--state-dir", "/proc/pollen")
    expect({ code, err }).toEqual({
      code: 1,
      err: "/proc/pollen cannot be written: give yourself the right to, and start again.\n",
    })
  })

  it("ends at Ctrl-C while its workers are starting, with nothing left running", async () => {
    const command = startPollen("start", "--port", "0", "--state-dir", stateDir)
    await command.prints(/building and starting the workers, \d+ s/)
    const children = childrenOf(command.pid)
    const { code, out, err } = await command.stop()
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(out).toContain(`Stopping. The database goes; the keys in ${stateDir} stay.`)
    expect(out).not.toContain("The workers are up")
    await expect.poll(() => children.filter(isRunning)).toEqual([])
  })

  it("suggests commands that work when pasted, and Ctrl-C ends it with nothing left running", async () => {
    const size = ["--users", "1", "--shows", "1", "--channels", "1", "--publish", "1", "--faults", "0"]
    size.push("--legacy", "3") // legacy
    const command = startPollen("start", "--port", "0", "--state-dir", stateDir, ...size)
    const suggestions = (await command.prints(/Ctrl-C/)).split("What to try next").at(-1) ?? ""
    const [token = "", ...commands] = [...suggestions.matchAll(/^ {4}((?:.*\\\n)*.*)$/gm)].map(
      ([, pasted = ""]) => pasted,
    )
    const paste = (pasted = "") =>
      execSync(`${token.trim()}\n${pasted}`, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })
    const outputs = commands.map(paste)
    const [status = "", feed = "", followed = "", polled = "", operated = "", cron = ""] = outputs
    expect(JSON.parse(status)).toMatchObject({ accounts: [{ state: "connected" }, { state: "connected" }] })
    expect(status.split("\n").length).toBeGreaterThan(10)
    expect(JSON.parse(feed)).toMatchObject({ items: expect.arrayContaining([expect.anything()]) })
    expect(JSON.parse(followed)).toMatchObject({ subscriptions: [{}, {}] })
    const [published = "", ...events] = polled.split(/^(?=event)/m)
    const ids = (JSON.parse(published) as ReadonlyArray<{ readonly id: string }>).map(({ id }) => id)
    expect(ids).toHaveLength(3)
    expect(events.join("\n")).toMatch(/^event: done\ndata: \{/m)
    // Usually by this poll; now and then the object's own alarm was a moment quicker.
    const feedNow = () => paste(commands[1]).replaceAll("\n", " ")
    await expect.poll(feedNow, { timeout: 60_000 }).toMatch(new RegExp(ids.map((id) => `(?=.*"${id}")`).join("")))
    expect(operated).toMatch(/spotify +object .* holds, epoch 1 +connected/)
    expect(JSON.parse(cron)).toMatchObject({
      cron_run: { failed: 0, isComplete: true },
      legacy_run: { found: 6, polled: 6, failed: 0, isComplete: true }, // legacy
    })
    const moved = /3 people/ // legacy
    expect(outputs.splice(6)).toEqual([moved, moved].map((words) => expect.stringMatching(words))) // legacy
    expect(outputs).toHaveLength(6)

    const children = childrenOf(command.pid)
    expect(await command.stop()).toMatchObject({ code: 0, err: "" })
    await expect.poll(() => children.filter(isRunning)).toEqual([])
    const after = await pollen("user", "person-1", "--state-dir", stateDir)
    expect(after).toMatchObject({ code: 2, out: "" })
    expect(after.err).toMatch(/^Nothing says where the migration worker is: run npm start/)
  })
})
