import { expect, it } from "vitest"
import { compare } from "../../bench/economy/designs.ts"
import { tables } from "../../bench/economy/main.ts"
import { readPage } from "./document.ts"

const economy = readPage("docs/economy.md")

it("docs/economy.md has the tables that npm run economy prints", () => {
  const shown = economy.slice(economy.indexOf("<!-- start:economy -->"), economy.indexOf("<!-- end:economy -->"))
  expect(shown.split("\n").slice(1).join("\n").trim()).toBe(tables())
})

it("what docs/economy.md says of the designs follows from the tables", () => {
  for (const { days, people } of compare()) {
    const [a, b, c, d] = days.map(({ dollars, day }) => ({
      day,
      cost: Object.values(dollars).reduce((sum, term) => sum + term, 0),
    }))
    if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error("four designs")
    expect(Math.min(a.cost, b.cost, c.cost)).toBeGreaterThan(4)
    expect(d.cost).toBeLessThan(c.cost / 2.9)
    expect(d.cost).toBeLessThan(a.cost / 7.9)
    expect(d.day.youtubeUnits / people).toBeLessThan(2)
    expect(Math.min(b.day.wakes, c.day.wakes)).toBeGreaterThan(a.day.wakes * 2)
  }
})
