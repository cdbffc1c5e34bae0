import { compare } from "./designs.ts"

// Prints the tables of docs/economy.md: `npm run economy`.

const count = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(2)))

const row = (...cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |`

const rule = (columns: number) => row(...Array.from({ length: columns }, (_, index) => (index === 0 ? "---" : "---:")))

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>) =>
  [row(...head), rule(head.length), ...rows.map((cells) => row(...cells))].join("\n")

/** The tables, as Markdown. */
export const tables = (): string => {
  const compared = compare()
  const people = compared.map((one) => `${count(one.people)} people`)
  const spread = table(
    ["of each provider", ...people],
    [
      ["sources that somebody follows", ...compared.map(({ popularity }) => count(popularity.followedSources))],
      ["followers of the most popular", ...compared.map(({ popularity }) => count(popularity.most))],
      ["followers of the median one", ...compared.map(({ popularity }) => count(popularity.median))],
    ],
  )
  const days = compared.map((one) => {
    const head = [`${count(one.people)} people, a day`, ...one.days.map(({ name }) => name)]
    const of = (name: string, value: (day: (typeof one.days)[number]["day"]) => number) => [
      name,
      ...one.days.map(({ day }) => count(value(day))),
    ]
    const total = ({ dollars }: (typeof one.days)[number]) =>
      Object.values(dollars).reduce((sum, value) => sum + value, 0)
    return table(head, [
      of("Spotify requests", (day) => day.spotifyRequests),
      of("YouTube units", (day) => day.youtubeUnits),
      of("YouTube units a person", (day) => day.youtubeUnits / one.people),
      of("Atom requests", (day) => day.atomRequests),
      of("wakes of objects", (day) => day.wakes),
      of("GB-s", (day) => day.gigabyteSeconds),
      of("rows written in objects", (day) => day.objectRowsWritten),
      of("rows written in D1", (day) => day.databaseRowsWritten),
      of("statements to D1", (day) => day.databaseStatements),
      ["$ a month for 1,000 people", ...one.days.map((one) => count(total(one)))],
      ["of it rows in objects", ...one.days.map(({ dollars }) => count(dollars.objectRows))],
      ["of it duration", ...one.days.map(({ dollars }) => count(dollars.duration))],
    ])
  })
  return [spread, ...days].join("\n\n")
}

if (import.meta.main) process.stdout.write(`${tables()}\n`)
