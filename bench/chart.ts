import { mkdirSync, writeFileSync } from "node:fs"
import { parse, View } from "vega"
import { compile, type TopLevelSpec } from "vega-lite"

const folder = new URL("charts/", import.meta.url)

/**
 * Draws what a vega-lite specification describes into `bench/charts/<name>.svg`. Returns the picture's link for a page in `bench`, as
 * Markdown; `says` is what it reads as without the picture.
 */
export const writeChart = async (name: string, says: string, spec: TopLevelSpec): Promise<string> => {
  const view = new View(parse(compile({ background: "white", ...spec }).spec), { renderer: "none" })
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${name}.svg`, folder), `${await view.toSVG()}\n`)
  return `![${says}](charts/${name}.svg)`
}
