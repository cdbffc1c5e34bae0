import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { stages as everyStage, movedStages } from "../../src/domain/stage.ts"
import { runCommand } from "./commandLine.ts"
import { type Answered, type Asked, startStranger } from "./stranger.ts"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollen-answers-"))
})
afterAll(() => rm(folder, { recursive: true }))

const problem = (status: number, name: string, members: object): Answered => ({
  status,
  body: { type: `urn:pollen:problem:${name}`, status, ...members },
})

const nothingAt = ({ path }: Asked) =>
  problem(404, "not-found", { title: "Nothing is here", detail: `There is nothing at ${path}` })

const flags = {
  isHalted: false,
  denyList: [],
  stages: movedStages.map((stage) => ({ stage, isEnabled: false, percentage: 0, allowList: [], updatedAt: null })),
}
const counts = {
  stages: everyStage.map((stage) => ({ stage, people: stage === "shadow" ? 40 : 0, failed: 0 })),
  bornInObjects: 0,
  ceilings: [{ ceiling: "shadow", people: 3 }],
}

/** A worker that knows flags and stages, holds back three people, and has nothing else. */
const worker = (asked: Asked): Answered => {
  if (asked.path === "/v1/stages") return { status: 200, body: counts }
  if (asked.path === "/v1/flags") return { status: 200, body: flags }
  if (asked.path === "/v1/lifts") return { status: 200, body: { lifted: 3 } }
  return nothingAt(asked)
}

describe("What a person got wrong on a command line", () => {
  it("is said before anything is sent: a percentage with three decimals, or nothing to set", async () => {
    const { url, requests } = await startStranger(worker)
    const decimals = await runCommand(url, "flags", "set", "live", "33.333")
    expect(decimals).toMatchObject({ code: 2, message: expect.stringContaining("at most two decimals") })
    const nothing = await runCommand(url, "flags", "set", "live")
    expect(nothing).toMatchObject({ code: 2, message: expect.stringMatching(/^Give what to set: a percentage/) })
    const nobody = await runCommand(url, "rollback")
    expect(nobody).toMatchObject({ code: 2, message: expect.stringMatching(/^Give the people to roll back/) })
    expect(requests).toEqual([])
  })

  it("is said with the forms that would be read: --since takes durations and times", async () => {
    const { url, requests } = await startStranger(worker)
    for (const since of ["yesterday", "-3 hours", "Infinity", "6 fortnights", "2026-13-01"]) {
      const { code, message } = await runCommand(url, "metrics", `--since=${since}`)
      expect({ since, code }).toEqual({ since, code: 2 })
      expect(message).toMatch(/must be a duration such as "6 hours" or 30m, or a time in UTC such as 2026-05-31/)
    }
    expect(requests).toEqual([])
    for (const since of ["6 hours", "30m", "1 day", "2026-05-31", "2026-05-31T08:00", "2026-05-31T10:00:00+02:00"]) {
      await runCommand(url, "metrics", `--since=${since}`)
    }
    const asked = requests.map(({ path }) => Number(new URL(path, url).searchParams.get("since")))
    expect(asked).toHaveLength(6)
    expect(asked[2]).toBeLessThan(asked[0] ?? 0)
    expect(asked.slice(3)).toEqual([Date.UTC(2026, 4, 31), Date.UTC(2026, 4, 31, 8), Date.UTC(2026, 4, 31, 8)])
  })

  it("is that stdout cannot be the file of an export", async () => {
    const { url, requests } = await startStranger(worker)
    const exported = await runCommand(url, "export", "--to", "-")
    expect(exported).toMatchObject({ code: 2, message: expect.stringContaining("stdout (-) is not supported") })
    const file = join(folder, "export.jsonl")
    await writeFile(file, "")
    expect(await runCommand(url, "open-export", file, "--to", "-")).toMatchObject({ code: 2 })
    expect(requests).toEqual([])
  })

  it("ends with 2 for every file that it names and that cannot be used", async () => {
    const { url, requests } = await startStranger(worker)
    const [nonsense, missing, empty] = [join(folder, "nonsense.json"), join(folder, "missing"), join(folder, "empty")]
    await writeFile(nonsense, "{")
    await writeFile(empty, "")
    for (const command of [
      ["migrate", "check", "--mapping", nonsense],
      ["migrate", "check", "--mapping", missing],
      ["migrate", "import", "--mapping", folder],
      ["migrate", "plan", "--people-file", missing],
      ["migrate", "plan", "--people-file", empty],
      ["flags", "list", "--credential-file", missing],
      ["flags", "list", "--credential-file", empty],
      ["export", "--to", empty, "--dry-run", "--key-file", missing],
      ["export", "--to", empty],
      ["open-export", nonsense, "--to", join(folder, "opened")],
    ]) {
      const { code, message } = await runCommand(url, ...command)
      expect({ command, code }).toEqual({ command, code: 2 })
      expect(message).toContain(folder)
    }
    expect(requests).toEqual([])
  })
})

describe("A refusal of the worker", () => {
  it("is shown with its title, and the path and message of every issue", async () => {
    const issues = [
      { path: "percentage", message: "must be 0 to 100" },
      { path: "allowList.add[0]", message: "must not be empty" },
    ]
    const { url } = await startStranger((asked) =>
      asked.method === "PATCH"
        ? problem(400, "invalid-request", { title: "The request is not valid", detail: "changeStage", issues })
        : worker(asked),
    )
    expect(await runCommand(url, "flags", "set", "live", "10")).toMatchObject({
      code: 2,
      message: "The request is not valid: percentage: must be 0 to 100; allowList.add[0]: must not be empty.",
    })
  })

  it("is shown with what a proxy says, where a proxy answers with a problem document", async () => {
    const { url } = await startStranger(() => ({
      status: 429,
      body: { title: "Too many requests", detail: "Slow down" },
    }))
    const { code, message } = await runCommand(url, "flags", "list")
    expect(code).toBe(1)
    expect(message).toMatch(/ answered 429 \(Slow down\), and not as a migration worker does: check the URL/)
  })

  it("names the person or the run that does not exist", async () => {
    const { url } = await startStranger(worker)
    const unknownPerson = { code: 1, message: "There is no person ada." }
    expect(await runCommand(url, "user", "ada")).toMatchObject(unknownPerson)
    expect(await runCommand(url, "migrate", "plan", "ada")).toMatchObject(unknownPerson)
    for (const command of ["watch", "pause", "resume", "cancel"]) {
      expect(await runCommand(url, "migrate", command, "run-1")).toMatchObject({
        code: 1,
        message: "There is no run run-1; `npm run pollen -- migrate runs` lists all runs.",
      })
    }
    const named = await startStranger(() => problem(404, "person-not-found", { title: "The person does not exist" }))
    expect(await runCommand(named.url, "user", "ada")).toMatchObject(unknownPerson)
  })

  it("is that of a wrong URL where the worker has none of the paths", async () => {
    const { url } = await startStranger(nothingAt)
    for (const command of [["user", "ada"], ["migrate", "watch", "run-1"], ["flags", "list"], ["audit"]]) {
      const { code, message } = await runCommand(url, ...command)
      expect({ command, code }).toEqual({ command, code: 1 })
      expect(message).toContain(`${url} is not the URL of a migration worker; check it.`)
    }
  })

  it("to drop the columns of a system in which nobody moved is lifted by --nobody-ever-moved alone", async () => {
    const state = { isDone: false, inTheWay: 0, people: [], hasAnybodyMoved: false, at: 0 }
    const { url, requests } = await startStranger(({ method, body }) => {
      if (method === "GET") return { status: 200, body: state }
      return JSON.parse(body).nobodyEverMoved === true
        ? { status: 200, body: { ...state, isDone: true } }
        : problem(409, "conflict", { title: "Conflict", detail: "Nobody has ever moved", reason: "nobody_moved" })
    })
    const refused = await runCommand(url, "contract", "--yes")
    expect(refused).toMatchObject({ code: 3, message: "Nobody has ever moved." })
    expect(await runCommand(url, "contract", "--yes", "--nobody-ever-moved")).toMatchObject({ code: 0 })
    expect(requests.filter(({ method }) => method === "POST").map(({ body }) => JSON.parse(body))).toEqual([
      { confirm: "drop the token columns" },
      { confirm: "drop the token columns", nobodyEverMoved: true },
    ])
  })
})

it("People whom a rollback holds back are told apart where a flag counts them, and only where it takes people forward", async () => {
  const { url } = await startStranger(worker)
  const { code, out } = await runCommand(url, "flags", "set", "live", "100", "--dry-run")
  expect(code).toBe(0)
  expect(out).toContain("off → live: about 40 people")
  expect(out).toContain(
    "include 3 people held back by a rollback, whatever the flags say, until `npm run pollen -- migrate clear-ceiling`",
  )
  const lowered = await startStranger((asked) =>
    asked.path === "/v1/flags"
      ? {
          status: 200,
          body: { ...flags, stages: flags.stages.map((flag) => ({ ...flag, isEnabled: true, percentage: 50 })) },
        }
      : worker(asked),
  )
  const back = await runCommand(lowered.url, "flags", "set", "complete", "0", "--dry-run")
  expect(back.code).toBe(0)
  expect(back.out).not.toContain("held back")
})

it("The former names of two commands still work", async () => {
  const { url, requests } = await startStranger(worker)
  expect(await runCommand(url, "migrate", "lift", "--dry-run")).toMatchObject({
    code: 0,
    out: "3 people would be released.\n",
  })
  expect(requests.map(({ path }) => path)).toEqual(["/v1/lifts"])
  expect(await runCommand(url, "migrate", "intake", "--mapping", join(folder, "missing"))).toMatchObject({
    code: 2,
    message: expect.stringContaining("cannot be read"),
  })
})
