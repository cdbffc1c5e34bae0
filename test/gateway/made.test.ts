import { env } from "cloudflare:workers"
import { expect, it } from "vitest"
import { Api } from "../../src/gateway/api/Api.ts"
import { issueBearer } from "../../src/gateway/bearer.ts"
import { Person } from "../object/person.ts"
import { endpointsOf, makeRequests, shown } from "../payloads/requests.ts"
import { allObjects, changes, everythingStored } from "../payloads/stored.ts"
import { clock } from "../worker.ts"
import { ask } from "./visitor.ts"

// Ahead of the platform's own clock: no alarm fires by itself, and changes what is compared.
clock.aheadMs = 2 * 3_600_000

it.each(endpointsOf(Api).map((endpoint, index) => [endpoint.identifier, endpoint, index] as const))(
  "%s answers made-up requests without a defect, and a refused one changes nothing",
  async (_name, endpoint, index) => {
    const ofOthers = await allObjects()
    const person = new Person()
    await person.connects("spotify")
    const bearer = await issueBearer(env.GATEWAY_KEY, person.id)
    let before = await everythingStored(ofOthers)
    const given = { count: Number(env.PAYLOADS), seed: index + 1 }
    for (const made of await makeRequests(endpoint, given, { params: { provider: "spotify" } })) {
      const { status, body } = await ask(made.path, {
        method: made.method,
        headers: { ...made.headers, authorization: `Bearer ${bearer}` },
        ...(made.body === undefined || made.method === "GET" ? {} : { body: made.body }),
      })
      expect(status, shown(made)).toSatisfy((code: number) => code < 500)
      const after = await everythingStored(ofOthers)
      if (status >= 400) {
        expect(body, shown(made)).toMatchObject({ status, type: expect.any(String) })
        expect(changes(before, after), `${shown(made)} is answered ${status}`).toEqual([])
      }
      before = after
    }
  },
)
