import { env } from "cloudflare:workers"
import { Effect, Redacted } from "effect"
import { expect, it } from "vitest"
import type { Grant } from "../../../local/simulator/model.ts"
import { fingerprint, newFingerprintKey } from "../../../src/domain/fingerprint.ts"
import { holderAt, type Stage } from "../../../src/domain/stage.ts"
import { simulator } from "../../object/person.ts"
import { PersonInMove, toTokens } from "../../object/personInMove.ts"
import { aimAt, begin, cancel, move, positionOf, resume } from "../driver.ts"
import { mortal } from "../mortal.ts"

const providers = ["spotify", "youtube"] as const
type Grants = Record<(typeof providers)[number], Grant>

/** Who holds each account, as D1 says and as the object says. */
const holders = async (person: PersonInMove, key = newFingerprintKey()) => {
  const kept = await person.fingerprints(false, key)
  return Promise.all(
    providers.map(async (provider) => ({
      provider,
      row: await person.row(provider),
      kept: kept.find((account) => account.provider === provider),
    })),
  )
}

const expectNeverTwo = async (person: PersonInMove, when: string) => {
  for (const { provider, row, kept } of await holders(person)) {
    expect({ when, provider, two: row?.holder === "database" && (kept?.isHolder ?? false) }).toMatchObject({
      two: false,
    })
  }
}

const expectSettled = async (person: PersonInMove, stage: Stage, newest: Grants, when: string) => {
  // Whom no page has ever had in hand is at `off`.
  const position = { stage: "off", target: "off", ...(await positionOf(person.id)) }
  expect({ when, ...position }, JSON.stringify(position)).toMatchObject({ when, stage, target: stage })
  const key = newFingerprintKey()
  for (const { provider, row, kept } of await holders(person, key)) {
    const holder = holderAt(stage)
    expect({ when, provider, holder: row?.holder }).toMatchObject({ holder })
    expect({ when, provider, isHolder: kept?.isHolder ?? false }).toMatchObject({ isHolder: holder === "object" })
    if (holder === "object") {
      expect(kept?.epoch).toBe(row?.epoch)
      const expected = await Effect.runPromise(fingerprint(key, toTokens(newest[provider])))
      expect({ when, provider, fingerprint: kept?.fingerprint }).toMatchObject({ fingerprint: expected })
    }
    // At `rampdown` what D1 has is what it had; before, it has the newest.
    if (stage === "complete") expect(row?.refresh_token).toBeNull()
    else if (stage !== "rampdown") {
      const isNewest = row?.refresh_token === newest[provider].refreshToken
      expect({ when, provider, isNewest }).toMatchObject({ isNewest: true })
    }
  }
}

/** How often a run has written its one step down, and how often it has counted it. */
const recorded = (run: string) =>
  env.DB.prepare(
    `SELECT progress->>'$.taken' AS counted, (SELECT count(*) FROM token_migration_history
       WHERE run_id = ?1 AND outcome IN ('migrated', 'rolled_back')) AS written FROM migration_runs WHERE id = ?1`,
  )
    .bind(run)
    .first<{ readonly written: number; readonly counted: number }>()

const setToken = async (person: PersonInMove, provider: (typeof providers)[number]): Promise<Grant> => {
  const grant = await simulator.grant(person.id, provider)
  const tokens = {
    ...grant,
    accessToken: Redacted.make(grant.accessToken),
    refreshToken: Redacted.make(grant.refreshToken),
  }
  await person.run(person.setToken({ userId: person.id, provider, tokens }))
  return grant
}

const transitions: ReadonlyArray<readonly [Stage, Stage]> = [
  ["off", "dual_write"],
  ["dual_write", "shadow"],
  ["shadow", "live"],
  ["live", "rampdown"],
  ["rampdown", "complete"],
  ["complete", "rampdown"],
  ["rampdown", "live"],
  ["live", "shadow"],
  ["shadow", "dual_write"],
  ["dual_write", "off"],
]

/** Where a run begins that need not count first who has a step to take. */
const mark = { pass: 1, page: 1, cursor: "", happened: 0, dueAt: null }

/** Calls before the page marks anybody: what was asked, whose grant two people have, who has a step to take. */
const callsBefore = 3

it.each([
  ...transitions.map(([from, to]) => [from, to, "even"] as const),
  ["shadow", "live", "odd"] as const,
  ["live", "shadow", "odd"] as const,
])(
  "killed at any call from %s to %s and run again, it ends with one holder and the newest token, also of one set in between (%s)",
  async (from: Stage, to: Stage, parity) => {
    const person = new PersonInMove()
    let newest: Grants = {
      spotify: await person.hasInDatabase("spotify"),
      youtube: await person.hasInDatabase("youtube"),
    }
    let deaths = 0
    for (let last = callsBefore + 1; ; last++) {
      await aimAt(from, [person.id])
      await move({ people: [person.id] }, { mark })
      await aimAt(to, [person.id])
      const { life, bindings } = mortal(last, false)
      const run = await begin({ people: [person.id] })
      await resume(run, { bindings, mark }).catch(() => undefined)
      const when = `call ${last}`
      await expectNeverTwo(person, when)
      if (life.isOver && (last % 2 === 0) === (parity === "even")) {
        newest = { ...newest, spotify: await setToken(person, "spotify") }
        await expectNeverTwo(person, `${when}, and a token was set`)
      }
      await resume(run, { mark })
      expect({ when, ...(await recorded(run)) }).toEqual({ when, written: 1, counted: 1 })
      // A mirror is written with the next delivery.
      if (to === "live") await person.alarm()
      await expectSettled(person, to, newest, when)
      if (!life.isOver) break
      deaths++
    }
    expect(deaths).toBeGreaterThan(4)
  },
)

it.each(transitions.filter(([from, to]) => ![from, to].includes("dual_write") || from === "off"))(
  "killed at any call from %s to %s and wanted back where it was, it is there, with one holder and the newest token",
  async (from: Stage, to: Stage) => {
    const person = new PersonInMove()
    let newest: Grants = {
      spotify: await person.hasInDatabase("spotify"),
      youtube: await person.hasInDatabase("youtube"),
    }
    await aimAt(from, [person.id])
    await move({ people: [person.id] }, { mark })
    for (let last = callsBefore + 1; ; last++) {
      await aimAt(to, [person.id])
      const { life, bindings } = mortal(last, false)
      const run = await begin({ people: [person.id] })
      await resume(run, { bindings, mark }).catch(() => undefined)
      const when = `call ${last}`
      if (life.isOver && last % 2 === 0) newest = { ...newest, spotify: await setToken(person, "spotify") }
      await expectNeverTwo(person, when)
      await aimAt(from, [person.id])
      await cancel(run)
      await move({ people: [person.id] }, { mark })
      if (from === "live") await person.alarm()
      await expectSettled(person, from, newest, when)
      if (!life.isOver) break
    }
  },
)
