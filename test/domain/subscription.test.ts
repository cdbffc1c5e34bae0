import { describe, expect, it } from "vitest"
import { hasSameDetails, toDetails } from "../../src/domain/subscription.ts"

const details = { title: "A show", url: "https://example.test/show", imageUrl: null }

describe("The details of a source", () => {
  it("have a title of at most 500 characters, and nothing that is not shown", () => {
    const listed = { ...details, title: "x".repeat(501), itemCount: 3 }
    expect(toDetails(listed)).toEqual({ ...details, title: "x".repeat(500) })
  })

  it("have addresses of the web or none", () => {
    const listed = { ...details, url: "javascript:alert(1)", imageUrl: "javascript:alert(1)" }
    expect(toDetails(listed)).toEqual({ ...details, url: "", imageUrl: null })
  })

  it.each([
    ["title", "Another"],
    ["url", "https://example.test/other"],
    ["imageUrl", "https://example.test/picture"],
  ])("are not the same with another %s", (field, value) => {
    expect(hasSameDetails(details, { ...details })).toBe(true)
    expect(hasSameDetails(details, { ...details, [field]: value })).toBe(false)
  })
})
