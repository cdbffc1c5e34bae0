import { Option, Schema } from "effect"
import fc from "fast-check"
import { expect, it } from "vitest"
import { UserId } from "../../src/domain/user.ts"
import { issueBearer, verifyBearer } from "../../src/gateway/bearer.ts"

const decode = Schema.decodeUnknownOption(UserId)
const key = "a-signing-key-of-at-least-32-characters"

/** Any UTF-16 code units, halves of surrogate pairs among them. */
const codeUnits = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xff_ff }), fc.integer({ min: 0xd8_00, max: 0xdf_ff })), { maxLength: 300 })
  .map((units) => String.fromCharCode(...units))

it("A user id is any well-formed text of 1 to 256 code units, and no other", () => {
  fc.assert(
    fc.property(codeUnits, (text) => {
      const isAccepted = text.isWellFormed() && text.length >= 1 && text.length <= 256
      expect(Option.isSome(decode(text))).toBe(isAccepted)
    }),
  )
})

it("No two ids have one bearer token: one that UTF-8 cannot write is refused", async () => {
  await fc.assert(
    fc.asyncProperty(
      codeUnits.filter((text) => text.length >= 1 && text.length <= 256),
      async (text) => {
        if (text.isWellFormed()) {
          expect(await verifyBearer(key, await issueBearer(key, text))).toEqual(Option.some(text))
        } else await expect(issueBearer(key, text)).rejects.toThrow(RangeError)
      },
    ),
  )
  for (const id of ["\ud800", "\udfff", "a\udc00\ud800"]) {
    await expect(issueBearer(key, id)).rejects.toThrow("well-formed")
  }
})
