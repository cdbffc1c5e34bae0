import type { LiveProvider } from "./liveSettings.ts"
import { askAs, cronStep, operator, renderSteps, type Step } from "./steps.ts"

/** Where a person gets tokens with client ids of their own, and the scope that they consent to. */
const consents: Readonly<
  Record<LiveProvider, { readonly name: string; readonly from: string; readonly scope: string }>
> = {
  spotify: {
    name: "Spotify",
    from: "https://developer.spotify.com/documentation/web-api/tutorials/code-flow",
    scope: "user-library-read",
  },
  youtube: {
    name: "YouTube",
    from: "https://developers.google.com/youtube/v3/guides/auth/server-side-web-apps",
    scope: "https://www.googleapis.com/auth/youtube.readonly",
  },
}

const connect = (gateway: string, provider: LiveProvider): Step => {
  const { name, from, scope } = consents[provider]
  const body = `'{"accessToken":"…","refreshToken":"…","expiresIn":3600,"scope":"${scope}"}'`
  const set = askAs(
    `${gateway}/v1/accounts/${provider}/token`,
    "-X PUT",
    '-H "Content-Type: application/json"',
    `\\\n      -d ${body}`,
  )
  return [`Give it your tokens of ${name}; ${from} says how to get some:`, set]
}

/** What to try with the real providers. */
export const renderLiveSuggestions = ({
  gateway,
  cronUrl,
  cronSeconds,
  bearer,
  providers,
  stateDir,
}: {
  readonly gateway: string
  readonly cronUrl: string
  readonly cronSeconds: number
  readonly bearer: string
  /** Those whose client ids are known. */
  readonly providers: ReadonlyArray<LiveProvider>
  /** Where the stack keeps its keys and its database, as it was typed. */
  readonly stateDir: string
}): string => {
  const steps: ReadonlyArray<Step> = [
    ["First, in another terminal in this folder, so that you are `me`:", `TOKEN=${bearer}`],
    ...providers.map((provider) => connect(gateway, provider)),
    ["Poll now, and look:", `curl -sNX POST -H "Authorization: Bearer $TOKEN" ${gateway}/v1/poll | npm run -s json`],
    ["How your object is:", askAs(`${gateway}/v1/status`)],
    ["Your feed:", askAs(`${gateway}/v1/feed`)],
    ["What an operator sees of you:", operator("user me", stateDir)],
    cronStep(cronUrl, cronSeconds),
  ]
  const names = providers.map((provider) => consents[provider].name).join(" and ")
  return [
    `Everything is up at ${gateway}, with the real ${names} and the usual intervals.`,
    "docs/deployment.md#client-ids says how to get client ids and tokens.",
    "",
    renderSteps(steps),
    "",
    `Ctrl-C stops it: tokens, feed and keys stay in ${stateDir} for the next time.`,
  ].join("\n")
}
