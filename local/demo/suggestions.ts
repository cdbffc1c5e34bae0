import { defaultStateDir } from "../../src/cli/state/keys.ts"
import { typed } from "../../src/cli/typed.ts"

/** Commands to paste while the stack is up; none begins with a comment, which not every shell takes at its prompt. */
export const renderSuggestions = ({
  gateway,
  simulator,
  bearer,
  person,
  source,
  stateDir,
}: {
  readonly gateway: string
  readonly simulator: string
  readonly bearer: string
  readonly person: string
  /** Something that the person follows. */
  readonly source: string | undefined
  /** Where the stack keeps its keys. */
  readonly stateDir: string
}): string => {
  const ask = `curl -sw '\\n' -H "Authorization: Bearer $TOKEN"`
  const publish = `curl -sw '\\n' ${simulator}/control/publish -d '{"source":"${source}","items":3}'`
  const poll = `${ask} -N -X POST -H "Accept: text/event-stream" ${gateway}/v1/poll`
  const operator = typed(`user ${person}${stateDir === defaultStateDir ? "" : ` --state-dir ${stateDir}`}`)
  const suggestions = [
    ["First, in another terminal, so that you are that person:", `TOKEN=${bearer}`],
    ["How their object is: accounts, alarm, the last polls:", `${ask} ${gateway}/v1/status`],
    ["The newest of their feed:", `${ask} "${gateway}/v1/feed?limit=5"`],
    ["What they follow:", `${ask} "${gateway}/v1/subscriptions?limit=5"`],
    source === undefined
      ? ["Poll now:", poll]
      : ["Publish three items and watch them come in by a poll:", `${publish} && \\\n    ${poll}`],
    ["What an operator sees of them, who holds their grants and how they got there:", operator],
  ]
  return [
    `Everything is up at ${gateway}, and goes on polling. What to try next as ${person}:`,
    ...suggestions.map(([what, command]) => `\n  ${what}\n    ${command}`),
    "",
    "Ctrl-C stops it. Then: `npm start -- --help` for more people and more faults, `npm test` for every promise.",
  ].join("\n")
}
