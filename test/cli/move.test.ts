import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Moving, startMoving } from "./moving.ts"
import { startPollenWith } from "./pollen.ts"
import { typed } from "./typed.ts"

// One move, told in order, by the commands that an operator types: each test goes on where the one before it ended.

const people = Array.from({ length: 12 }, (_, index) => `person-${index + 1}`)
/** Who can never be moved: D1 has no refresh token of theirs. */
const poisoned = "poisoned"
/** The tenth, by the buckets of these ids: as `migrate plan` has to find out. */
let moving: Moving
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollen-move-"))
  moving = await startMoving()
  await moving.addPeople([...people, poisoned])
  await moving.database.prepare("UPDATE user_accounts SET refresh_token = NULL WHERE user_id = ?").bind(poisoned).run()
}, 240_000)
afterAll(async () => {
  await moving.close()
  await rm(folder, { recursive: true })
})

const environment = () => ({ POLLEN_MIGRATION_URL: moving.url, POLLEN_ADMIN_TOKEN: moving.adminToken })
const start = (...parameters: ReadonlyArray<string>) => startPollenWith(environment(), ...parameters)
const type = (...parameters: ReadonlyArray<string>) => typed(environment(), ...parameters)

/** What a command tells a program: the object on the last line of stdout, which has nothing else on it. */
const typeJson = async (...parameters: ReadonlyArray<string>) => {
  const { code, out, err } = await type(...parameters, "--json")
  const object: Record<string, unknown> = JSON.parse(out)
  return { code, err, object }
}

const stagesInDatabase = async () => {
  const { results } = await moving.database
    .prepare("SELECT stage, count(*) AS people FROM token_migration_status GROUP BY stage")
    .all<{ readonly stage: string; readonly people: number }>()
  return Object.fromEntries(results.map(({ stage, people: count }) => [stage, count]))
}

describe("An operator who moves people", () => {
  it("sees whom a flag would concern before it is set, and that nothing was written", async () => {
    const dry = await typeJson("flags", "set", "live", "100", "--dry-run")
    expect(dry).toMatchObject({
      code: 0,
      object: { isDry: true, everybody: 13, concerned: [{ from: "off", to: "live", about: 13, named: [] }] },
    })
    const { object } = await typeJson("flags", "list")
    expect(object).toMatchObject({ isHalted: false, denyList: [] })
    expect(JSON.stringify(object)).not.toContain('"isEnabled":true')
  })

  it("sets a flag and is shown before, after, and what to do next", async () => {
    const { code, out, err } = await type("flags", "set", "live", "--allow", `person-1,person-2,${poisoned}`)
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(out).toMatch(/live +disabled +→ +0 %/)
    expect(out).toMatch(/live, allowed +– +→ +person-1, person-2, poisoned/)
    expect(out).toContain("off → live: person-1, person-2, poisoned")
    expect(out).toContain("`npm run pollen -- migrate start --watch`")
  })

  it("plans: who would go where, who would fail and why; the exit code tells a script, and nobody moves", async () => {
    const { code, out, err } = await type("migrate", "plan")
    expect(code).toBe(4)
    expect(out).toMatch(/off +live +3/)
    expect(out).toMatch(/Would fail:\n {2}1 person: no_refresh_token {2}\(poisoned\)/)
    expect(err).toMatch(/^1 person cannot be moved as things are: 1 no_refresh_token\.\n$/)
    expect(await stagesInDatabase()).toEqual({})
  })

  it("starts and watches without a terminal: plain lines, then the figures, and 4 because somebody failed", async () => {
    const { code, out, err } = await type("migrate", "start", "--watch", "--patience", "0")
    expect(code).toBe(4)
    expect(out).not.toContain("\u001b")
    expect(out).toMatch(/^moving: /m)
    expect(out).toMatch(/people arrived +2$/m)
    expect(out).toMatch(/people\/s +\d/)
    expect(out).toMatch(/1 person: no_refresh_token {2}\(poisoned\)/)
    expect(err).toContain(
      "1 person could not be moved: 1 no_refresh_token. `npm run pollen -- user USER` shows one of them",
    )
    expect(await stagesInDatabase()).toMatchObject({ live: 2 })
  })

  it("looks at one person: where, who holds each grant, every step; an unknown one is a sentence", async () => {
    const [known, failed, unknown] = await Promise.all([
      type("user", "person-1"),
      typeJson("user", poisoned),
      type("user", "nobody"),
    ])
    expect(known.code).toBe(0)
    expect(known.out).toMatch(/at live, the target; last step: migrated/)
    expect(known.out).toMatch(/spotify +object +2 +connected .* holds, epoch 2 +connected +same/)
    expect(known.out.match(/(off → dual_write|dual_write → shadow|shadow → live) +migrated/g)).toHaveLength(3)
    expect(failed.object).toMatchObject({ stage: "off", target: "live", state: "failed", reason: "no_refresh_token" })
    expect(unknown).toEqual({ code: 1, out: "", err: "There is no person nobody.\n" })
  })

  it("verifies: 0 for people who are as they should be, 4 and who and why when somebody is not", async () => {
    expect(await typeJson("migrate", "verify", ...people)).toMatchObject({
      code: 0,
      object: { checked: 12, wrong: 0, problems: [] },
    })
    await moving.database
      .prepare("UPDATE user_accounts SET access_token = 'other' WHERE user_id = 'person-2' AND provider = 'youtube'")
      .run()
    const { code, out, err } = await type("migrate", "verify", "person-1", "person-2")
    const list = join(folder, "ids.txt")
    await writeFile(list, "person-1\nperson-3\n")
    expect(await typeJson("migrate", "verify", "--people-file", list)).toMatchObject({
      object: { checked: 2, wrong: 0 },
    })
    expect(code).toBe(4)
    expect(out).toMatch(/person-2 +live +not_the_same/)
    expect(out).not.toMatch(/person-1 /)
    expect(err).toBe("1 of 2 people failed verification.\n")
  })

  it("pauses, resumes and cancels a run; watching ends with a sentence, and Ctrl-C leaves the run going", async () => {
    // It waits for the person who failed, as long as it is told to.
    const begun = await typeJson("migrate", "start", "--patience", "86400")
    expect(begun).toMatchObject({ code: 0, object: { state: "running" } })
    const id = String(begun.object["id"])

    const watching = start("migrate", "watch")
    await watching.prints(/waiting .* to retry failed people/)
    const left = await watching.stop()
    expect(left.code).toBe(0)
    expect(left.out).toContain(`Run ${id} goes on; \`npm run pollen -- migrate watch\` shows it again`)

    const joined = await type("migrate", "start")
    expect(joined.code).toBe(0)
    expect(joined.out).toContain(`Run ${id} is under way`)

    expect(await typeJson("migrate", "pause", "--dry-run")).toMatchObject({ code: 0, object: { id, state: "running" } })
    expect(await typeJson("migrate", "pause")).toMatchObject({ code: 0, object: { id, state: "paused" } })
    const paused = await type("migrate", "watch")
    expect(paused.code).toBe(4)
    expect(paused.err).toBe("The run is paused; `npm run pollen -- migrate resume` continues it.\n")
    expect(await type("migrate", "start")).toMatchObject({ code: 3, out: "" })

    expect(await typeJson("migrate", "resume")).toMatchObject({ code: 0, object: { id, state: "running" } })
    expect(await typeJson("migrate", "cancel")).toMatchObject({ code: 0, object: { id, state: "cancelled" } })
    const nothing = await type("migrate", "pause")
    expect(nothing).toMatchObject({ code: 3, out: "" })
    expect(nothing.err).toContain("No run is running")
    expect((await type("migrate", "runs")).out).toMatch(new RegExp(`${id} +move +cancelled`))
  })

  it("halts everything by the kill switch, and is told so by whatever would move somebody", async () => {
    expect((await type("flags", "halt", "on")).out).toMatch(/halted +no +→ +yes/)
    const refused = await type("migrate", "start", "--watch")
    expect(refused).toMatchObject({ code: 3, out: "" })
    expect(refused.err).toContain("kill switch")
    expect((await type("flags", "halt", "off")).code).toBe(0)
  })

  it("exports into a file that opens with the key alone, and sees no token on the way", async () => {
    const [key, file, opened] = [join(folder, "key"), join(folder, "grants.jsonl"), join(folder, "opened.jsonl")]
    await writeFile(key, Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64"))
    const exported = await typeJson("export", "--to", file, "--key-file", key, ...people)
    expect(exported).toMatchObject({ code: 0, object: { file, exported: 12, failed: [] } })
    const sealed = await readFile(file, "utf8")
    for (const token of moving.tokens) expect(sealed).not.toContain(token)
    expect((await stat(file)).mode & 0o077).toBe(0)

    const open = (keyFile: string, to: string) => type("open-export", file, "--key-file", keyFile, "--to", to)
    expect(await open(key, opened)).toMatchObject({ code: 0, err: "" })
    const person: unknown = JSON.parse((await readFile(opened, "utf8")).split("\n")[0] ?? "")
    expect(person).toMatchObject({ userId: "person-1", accounts: [{ provider: "spotify" }, { provider: "youtube" }] })
    expect([...moving.tokens].some((token) => JSON.stringify(person).includes(token))).toBe(true)
    expect((await stat(opened)).mode & 0o077).toBe(0)

    const other = join(folder, "other.key")
    await writeFile(other, Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64"))
    expect((await open(other, join(folder, "never"))).err).toContain("does not open with this key")
    const over = await type("export", "--to", file, "--key-file", key, "person-1")
    expect(over).toMatchObject({ code: 2, err: `${file} exists already: name another file.\n` })
    await expect(stat(join(folder, "never"))).rejects.toMatchObject({ code: "ENOENT" })
  })

  it("rolls one person back at once and everybody after a confirmation; they stay back until their ceiling is cleared", async () => {
    expect(await type("rollback", "persn-1")).toMatchObject({ code: 1, out: "" })
    expect(await type("rollback", "person-1", "--watch")).toMatchObject({ code: 0, err: "" })
    expect(await stagesInDatabase()).toMatchObject({ live: 1, shadow: 1 })
    expect((await type("user", "person-1")).out).toContain(
      "kept at shadow or before by a rollback until `npm run pollen -- migrate clear-ceiling person-1`",
    )
    expect((await typeJson("migrate", "plan", "person-1")).object).toMatchObject({ progress: { people: 0 } })

    const asked = await type("rollback", "--everybody", "--watch")
    expect(asked).toMatchObject({ code: 3, out: "" })
    expect(asked.err).toMatch(/^This takes everybody, 13 people, back to shadow.* Nothing was done: give --yes/)
    expect(await stagesInDatabase()).toMatchObject({ live: 1, shadow: 1 })
    expect(await typeJson("rollback", "--everybody", "--dry-run")).toMatchObject({
      code: 0,
      object: {
        isDry: true,
        progress: {
          routes: [
            { from: "live", to: "shadow", people: 1 },
            // Whose first step failed: it is undone.
            { from: "off", to: "off", people: 1 },
          ],
        },
      },
    })
    expect(await typeJson("rollback", "--everybody", "--yes", "--watch")).toMatchObject({ code: 0 })
    expect(await stagesInDatabase()).toMatchObject({ shadow: 2 })
    const held = { lifted: 12 + 1 }
    expect(await typeJson("migrate", "clear-ceiling", "--dry-run")).toMatchObject({
      code: 0,
      object: { isDry: true, ...held },
    })
    expect((await typeJson("migrate", "clear-ceiling")).object).toMatchObject({ isDry: false, ...held })
    expect((await typeJson("migrate", "clear-ceiling")).object).toMatchObject({ lifted: 0 })
    expect((await typeJson("migrate", "plan", "person-1")).object).toMatchObject({ progress: { people: 1 } })
  })

  it("checks the mapping of another table, and imports its rows except those that are not understood", async () => {
    const { database } = moving
    await database
      .prepare("CREATE TABLE old_grants (id INTEGER PRIMARY KEY, owner, service, access, refresh, ends INTEGER)")
      .run()
    const insert = database.prepare("INSERT INTO old_grants VALUES (?, ?, ?, ?, ?, ?)")
    const ends = 1_900_000_000
    await database.batch([
      insert.bind(1, "old-1", "SPOTIFY", "a1", "r1", ends),
      insert.bind(2, "old-2", "google", "a2", "r2", ends),
      insert.bind(3, "old-3", "soundcloud", "a3", "r3", ends),
      insert.bind(4, "old-4", "SPOTIFY", "a4", null, ends),
    ])
    const mapping = join(folder, "mapping.json")
    const columns = { userId: "owner", accessToken: "access", refreshToken: "refresh", expiresAt: "ends" }
    const declared = {
      ...{ table: "old_grants", key: "id", timestamps: "seconds" },
      columns: { ...columns, provider: "service" },
      providers: { SPOTIFY: "spotify", google: "youtube" },
    }
    const example = await type("migrate", "check", "--mapping", "docs/mapping.example.json")
    expect(example.err).toContain("oauth_grants")
    await writeFile(mapping, JSON.stringify({ ...declared, timestamps: "fortnights" }))
    const wrong = await type("migrate", "check", "--mapping", mapping)
    expect(wrong).toMatchObject({ code: 2, out: "" })
    expect(wrong.err).toContain("timestamps")

    await writeFile(mapping, JSON.stringify(declared))
    const checked = await type("migrate", "check", "--mapping", mapping)
    expect(checked.code).toBe(4)
    expect(checked.out).toContain("old_grants has 4 rows; of 4 read, 2 are understood: 1 spotify, 1 youtube.")
    expect(checked.out).toMatch(/3 +unknown_provider/)
    expect(checked.out).toMatch(/4 +no_refresh_token/)
    expect(checked.out).toContain("2030-03-17T17:46:40.000Z")

    const took = { read: 4, taken: 2, kept: 0, notTaken: 2 }
    const dry = await typeJson("migrate", "import", "--mapping", mapping, "--dry-run")
    expect(dry).toMatchObject({ code: 4, object: { isDry: true, ...took } })
    expect(await type("user", "old-1")).toMatchObject({ code: 1 })
    expect((await typeJson("migrate", "import", "--mapping", mapping)).object).toMatchObject(took)
    expect((await typeJson("migrate", "import", "--mapping", mapping)).object).toMatchObject({ taken: 0, kept: 2 })
    expect(await type("user", "old-1")).toMatchObject({ code: 0 })

    for (const [what, table] of [
      ["follows", "followed_sources"],
      ["feed", "inbox"],
    ]) {
      const missing = await type("migrate", "check", "--mapping", `docs/mapping.${what}.example.json`)
      expect(missing.err).toContain(`there is no table "${table}"`)
    }
    const follows = { ...declared, what: "follows", polledAt: "2026-11-01T00:00:00Z" }
    await writeFile(mapping, JSON.stringify({ ...follows, columns: { userId: "owner", provider: "service" } }))
    const withoutSource = await type("migrate", "check", "--mapping", mapping)
    expect(withoutSource).toMatchObject({ code: 2, err: expect.stringContaining("columns.sourceId: Missing key.") })
    const columnsOfFollows = { userId: "owner", provider: "service", sourceId: "access" }
    await writeFile(mapping, JSON.stringify({ ...follows, columns: columnsOfFollows }))
    const followed = await type("migrate", "check", "--mapping", mapping)
    expect(followed.out).toMatch(/row +user +provider +source +title +polled +items/)
    expect(followed.out).toMatch(/1 +old-1 +spotify +a1 +– +2026-11-01T00:00:00.000Z +–/)
    expect(followed.out).toContain("sourceId: 3 of 3 do not look like ids of the provider")
    const imported = await typeJson("migrate", "import", "--mapping", mapping)
    expect(imported.object).toMatchObject({ read: 4, taken: 3, kept: 0, notTaken: 1 })
  })

  it("finds every action in the audit, and in the metrics the legacy poller beside the objects", async () => {
    const [audit, metrics] = await Promise.all([type("audit", "--limit", "200"), type("metrics", "--since", "1 hour")])
    expect(audit.out).toMatch(/admin +startRollback +ok +\{.*"everybody":true/)
    expect(audit.out).toMatch(/admin +changeMove +ok +\{"isHalted":true\}/)
    expect(metrics).toMatchObject({ code: 0, err: "" })
    expect(metrics.out).toMatch(/legacy poller +objects/)
    expect(metrics.out).toMatch(/Grants that end by their age.*\n\n(.*\n)* *Of unknown age: \d+ of spotify/)
  })

  it("is refused the drop step while anybody is in the way, and told how many and who", async () => {
    const { code, out, err } = await type("contract", "--yes")
    expect(code).toBe(3)
    expect(out).toMatch(/^15 people in the way:/)
    expect(out).toMatch(/person-1 +shadow/)
    expect(err).toBe("Nothing was dropped: everybody must be complete and verified first.\n")
  })

  it("drops the columns after a confirmation once everybody is complete, and is refused a rollback from then on", async () => {
    const gone = [poisoned, "old-1", "old-2"].map((id) =>
      moving.database.prepare("DELETE FROM user_accounts WHERE user_id = ?").bind(id),
    )
    await moving.database.batch(gone)
    await type("flags", "set", "complete", "100")
    expect(await typeJson("migrate", "start", "--watch", "--patience", "0")).toMatchObject({ code: 0 })
    expect(await stagesInDatabase()).toMatchObject({ complete: 12 })
    const hasTokens = async () =>
      moving.database
        .prepare("SELECT count(refresh_token) AS grants FROM user_accounts WHERE user_id = 'person-1'")
        .first("grants")
    expect(await hasTokens()).toBe(0)
    expect(await type("export", "person-1", "--to-database")).toMatchObject({ code: 0, err: "" })
    expect(await hasTokens()).toBe(2)
    expect(await stagesInDatabase()).toMatchObject({ complete: 11, live: 1 })
    await type("migrate", "clear-ceiling", "person-1")
    expect(await typeJson("migrate", "start", "--watch", "--patience", "0")).toMatchObject({ code: 0 })

    const asked = await type("contract")
    expect(asked).toMatchObject({ code: 3, out: "" })
    expect(asked.err).toMatch(/It cannot be undone.* give --yes/)
    expect(await typeJson("contract", "--dry-run")).toMatchObject({ code: 0, object: { isDone: false, inTheWay: 0 } })
    expect(await typeJson("contract", "--yes")).toMatchObject({ code: 0, object: { isDone: true } })
    expect((await type("rollback", "person-1")).code).toBe(3)
    expect((await type("user", "person-1")).code).toBe(0)
  })
})
