import { operator, type Step } from "./steps.ts"

/** The move, for people whose tokens D1 holds; without any, how to have some. */
export const legacySteps = ({
  legacy,
  stateDir,
}: {
  readonly legacy: number
  readonly stateDir: string
}): ReadonlyArray<Step> =>
  legacy === 0
    ? [["Next time, with 20 people whose tokens D1 holds, to try the move:", "npm start -- --legacy 20"]]
    : [
        [
          "The move: say that everybody should be at live, see what that means, and do it:",
          ["flags set live 100", "migrate plan", "migrate start --watch"]
            .map((words) => operator(words, stateDir))
            .join(" && \\\n    "),
        ],
        [
          "And back, so that D1 holds their tokens as before:",
          operator("rollback --everybody --yes --watch", stateDir),
        ],
      ]
