import { parseArgs } from "node:util"

const usage = `Lets many people follow many sources: real objects, hubs and D1 on this machine, providers that are the simulator.
First polls, then a day of publications in some minutes, while some revoke their grants and some poll by hand.

  npm run bench -- load                      10,000 people with 20 shows and 20 channels: an hour or two on two cores, 20 GB of memory
  npm run bench -- load --users 500          fewer people
  npm run bench -- load --publish 1000       so many new items in all (two for each person unless told)
  npm run bench -- load --each 20            shows, and channels, that each person follows
  npm run bench -- load --help               this text

Exit code: 0 if nothing was lost or doubled, 1 if something was, 2 if the arguments are wrong.
`

const wrong = (problem: string): never => {
  process.stderr.write(`${problem}\n\n${usage}`)
  return process.exit(2)
}

const wholeNumber = (name: string, text: string): number =>
  /^[1-9]\d{0,5}$/.test(text) ? Number(text) : wrong(`--${name} takes a whole number from 1 on`)

export interface LoadOptions {
  readonly users: number
  readonly each: number
  readonly publish: number
}

/** Reads the arguments; ends the program where they are wrong or ask for help. */
export const readOptions = (parameters: ReadonlyArray<string>): LoadOptions => {
  const read = () => {
    try {
      return parseArgs({
        args: [...parameters],
        options: {
          users: { type: "string", default: "10000" },
          each: { type: "string", default: "20" },
          publish: { type: "string" },
          help: { type: "boolean", short: "h", default: false },
        },
      }).values
    } catch (problem) {
      return wrong(problem instanceof Error ? problem.message : String(problem))
    }
  }
  const values = read()
  if (values.help) {
    process.stdout.write(usage)
    process.exit(0)
  }
  const users = wholeNumber("users", values.users)
  const each = wholeNumber("each", values.each)
  return { users, each, publish: wholeNumber("publish", values.publish ?? String(users * 2)) }
}
