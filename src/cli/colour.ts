import type { Output } from "./terminal.ts"

const codes = { red: 31, green: 32, cyan: 36, bold: 1, dim: 2 } as const

export type Colours = { readonly [Name in keyof typeof codes]: (text: string) => string }

const isSet = (value: string | undefined): boolean => value !== undefined && value !== ""
const isForced = (value: string | undefined): boolean => isSet(value) && value !== "0" && value !== "false"

/** `NO_COLOR` (https://no-color.org) wins, then `FORCE_COLOR`; otherwise a terminal has colours and anything else has none. */
const hasColours = ({ isTTY }: Pick<Output, "isTTY">, environment: NodeJS.ProcessEnv): boolean => {
  if (isSet(environment["NO_COLOR"]) || environment["TERM"] === "dumb") return false
  return isForced(environment["FORCE_COLOR"]) || (isTTY === true && environment["FORCE_COLOR"] !== "0")
}

/** Colours for what is shown on a stream; each leaves the text as it is where the stream has none. */
export const coloursOf = (stream: Pick<Output, "isTTY">, environment: NodeJS.ProcessEnv = process.env): Colours => {
  const isColoured = hasColours(stream, environment)
  const paint = (code: number) => (text: string) =>
    isColoured && text !== "" ? `\u001b[${code}m${text}\u001b[0m` : text
  return {
    red: paint(codes.red),
    green: paint(codes.green),
    cyan: paint(codes.cyan),
    bold: paint(codes.bold),
    dim: paint(codes.dim),
  }
}
