/** Commands to paste while the stack is up. */
export const renderSuggestions = ({
  gateway,
  simulator,
  bearer,
  person,
  source,
}: {
  readonly gateway: string
  readonly simulator: string
  readonly bearer: string
  readonly person: string
  /** Something that the person follows. */
  readonly source: string | undefined
}): string => {
  const ask = `curl -s -H "Authorization: Bearer $TOKEN"`
  const lines = [
    `Everything is up at ${gateway}. What to try next, in another terminal, as ${person}:`,
    "",
    `  TOKEN=${bearer}`,
    "",
    "  # how the object is: accounts, alarm, the last polls",
    `  ${ask} ${gateway}/v1/status`,
    "  # the newest of the feed, and what is followed",
    `  ${ask} "${gateway}/v1/feed?limit=5"`,
    `  ${ask} "${gateway}/v1/subscriptions?limit=5"`,
    ...(source === undefined
      ? []
      : [
          "  # publish three items, and watch them come in with a poll",
          `  curl -s -X POST ${simulator}/control/publish -d '{"source":"${source}","items":3}'`,
        ]),
    `  ${ask} -N -X POST -H "Accept: text/event-stream" ${gateway}/v1/poll`,
    "",
    "Ctrl-C stops it.",
  ]
  return lines.join("\n")
}
