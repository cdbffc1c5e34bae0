import { cronSeconds } from "../stack/LocalStack.ts"
import { legacySteps } from "./legacySteps.ts" // legacy
import { askAs, cronStep, operator, readable, renderSteps, type Step } from "./steps.ts"

interface Surroundings {
  readonly gateway: string
  readonly simulator: string
  readonly cronUrl: string
  readonly bearer: string
  readonly person: string
  /** Something that the person follows. */
  readonly source: string | undefined
  /** Where the stack keeps its keys, as it was typed. */
  readonly stateDir: string
  readonly legacy: number // legacy
}

const pollSteps = ({ gateway, simulator, source }: Surroundings): ReadonlyArray<Step> => {
  const poll = `curl -sNX POST -H "Authorization: Bearer $TOKEN" -H "Accept: text/event-stream" ${gateway}/v1/poll`
  if (source === undefined) return [["Poll now:", poll]]
  const publish = `curl -s ${simulator}/control/publish -d '{"source":"${source}","items":3}' | ${readable}`
  return [["Publish three items and watch them come in by a poll:", `${publish} && \\\n    ${poll}`]]
}

/** Commands to paste while the stack is up. */
export const renderSuggestions = (surroundings: Surroundings): string => {
  const { gateway, cronUrl, bearer, person, stateDir } = surroundings
  const steps: ReadonlyArray<Step> = [
    ["First, in another terminal in this folder, so that you are that person:", `TOKEN=${bearer}`],
    ["How their object is: accounts, alarm, the last polls:", askAs(`${gateway}/v1/status`)],
    ["The newest of their feed:", askAs(`"${gateway}/v1/feed?limit=5"`)],
    ["What they follow:", askAs(`"${gateway}/v1/subscriptions?limit=5"`)],
    ...pollSteps(surroundings),
    [
      "What an operator sees of them, who holds their grants and how they got there:",
      operator(`user ${person}`, stateDir),
    ],
    cronStep(cronUrl, cronSeconds),
    ...legacySteps(surroundings), // legacy
  ]
  return [
    `Everything is up at ${gateway}, and goes on polling. What to try next as ${person}:`,
    "",
    renderSteps(steps),
    "",
    `Ctrl-C stops it: its database goes, the keys in ${stateDir} stay.`,
    "Then: `npm start -- --help` for more people and more faults, `npm test` for every promise.",
  ].join("\n")
}
