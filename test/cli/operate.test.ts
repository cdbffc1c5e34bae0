import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises"
import { createServer, type IncomingHttpHeaders } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeServices } from "@effect/platform-node"
import { Effect } from "effect"
import { CliOutput, Command, type HelpDoc } from "effect/cli"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { pollen as everything } from "../../local/pollen.ts"
import { pollen } from "./pollen.ts"
import { typed } from "./typed.ts"

// What an operator meets before any worker is asked, and when the one who answers is not the right one.

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollen-operate-"))
})
afterAll(() => rm(folder, { recursive: true }))

const credential = { POLLEN_ADMIN_TOKEN: "x".repeat(32) }
const ask = (environment: Record<string, string>, ...parameters: ReadonlyArray<string>) =>
  typed(environment, ...parameters, "--state-dir", folder)

/** A server that answers everything the same, and remembers what it was asked with. */
const answering = async (status: number, type: string, body: string) => {
  const asked: Array<IncomingHttpHeaders> = []
  const server = createServer((request, response) => {
    asked.push(request.headers)
    response.writeHead(status, { "content-type": type }).end(body)
  })
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${port}`, asked, close }
}

const commands = [
  ...["plan", "start", "watch", "pause", "resume", "cancel", "runs", "verify", "clear-ceiling", "check", "import"].map(
    (name) => ["migrate", name],
  ),
  ...["list", "set", "halt", "deny"].map((name) => ["flags", name]),
  ...["rollback", "export", "open-export", "user", "metrics", "audit", "contract"].map((name) => [name]),
]

/** Those that write where people are, or where they should be. */
const writing = [
  "start",
  "pause",
  "resume",
  "cancel",
  "clear-ceiling",
  "import",
  "set",
  "halt",
  "deny",
  "rollback",
  "export",
  "contract",
]

/** The help of a command, before it is laid out. */
const helpOf = async (command: ReadonlyArray<string>): Promise<HelpDoc.HelpDoc> => {
  const shown: Array<HelpDoc.HelpDoc> = []
  const presenter = CliOutput.layerPresenter({
    present: (event) => Effect.sync(() => (event._tag === "Help" ? shown.push(event.helpDoc) : 0)),
  })
  const run = Command.runWith(everything, { version: "0" })([...command, "--help"])
  await Effect.runPromise(run.pipe(Effect.provide(presenter), Effect.provide(NodeServices.layer), Effect.orDie))
  return shown[0] ?? expect.unreachable(`${command.join(" ")} has no help`)
}

describe("An operator's command", () => {
  it("explains itself: what it does, its flags, and examples; --json always, --dry-run where it writes", async () => {
    for (const command of commands) {
      const { description, flags, usage, examples = [] } = await helpOf(command)
      const names = flags.map(({ name }) => name)
      expect(usage).toContain(`pollen ${command.join(" ")}`)
      expect(description).toMatch(/^[A-Z].*\.$/)
      expect(examples.length).toBeGreaterThan(0)
      for (const example of examples) expect(example.command).toMatch(/^(pollen|openssl) /)
      expect(names).toContain("json")
      expect(flags.every((flag) => flag.description !== undefined)).toBe(true)
      expect(`${command.join(" ")}: ${names.includes("dry-run")}`).toBe(
        `${command.join(" ")}: ${writing.includes(command.at(-1) ?? "")}`,
      )
    }
  })

  it("that cannot be read ends with 2, two lines on stderr and nothing on stdout", async () => {
    const outcomes = await Promise.all([
      pollen("flags", "set", "live", "101"),
      pollen("flags", "set", "nowhere", "10"),
      pollen("migrate", "frobnicate"),
      pollen("rollback", "--stages", "live"),
    ])
    for (const { code, out, err } of outcomes) {
      expect({ code, out }).toEqual({ code: 2, out: "" })
      expect(err.trimEnd().split("\n")).toHaveLength(2)
      expect(err).toMatch(/`npm run pollen -- .*--help` explains the command\.\n$/)
    }
    expect(outcomes[0]?.err).toContain("must be 0 to 100")
  })

  it("says in one sentence how to tell it where the worker is, and what it lacks to be let in", async () => {
    const [nowhere, naked, elsewhere, nonsense] = await Promise.all([
      ask({}, "flags", "list"),
      ask({ POLLEN_MIGRATION_URL: "https://migration.example.com" }, "flags", "list"),
      ask(credential, "flags", "list", "--url", "http://migration.example.com"),
      ask(credential, "flags", "list", "--url", "migration"),
    ])
    expect(nowhere).toMatchObject({ code: 2, out: "" })
    expect(nowhere.err).toMatch(/^Nothing says where .* npm start .* --url or POLLEN_MIGRATION_URL\.\n$/)
    expect(naked).toMatchObject({ code: 2, out: "" })
    expect(naked.err).toMatch(/needs a credential: set POLLEN_ADMIN_TOKEN, or give --credential-file/)
    expect(elsewhere).toMatchObject({ code: 2 })
    expect(elsewhere.err).toMatch(/neither this machine nor https/)
    expect(nonsense.err).toMatch(/^migration is not the URL of a worker/)
  })

  it("ends with 1 and a sentence when nobody answers, and with --json one object that says the same", async () => {
    const { url, close } = await answering(200, "text/plain", "")
    close()
    const { code, out, err } = await ask(credential, "flags", "list", "--json", "--url", url)
    expect(code).toBe(1)
    expect(err).toBe(
      `The migration worker cannot be reached at ${url}: run \`npm start\` in another terminal and leave it running.\n`,
    )
    expect(JSON.parse(out)).toEqual({ error: { name: "Unreachable", message: err.trimEnd() } })
  })

  it("is not fooled by somebody else who answers, whatever the status", async () => {
    for (const [status, type, body] of [
      [200, "text/html", "<html>Sign in</html>"],
      [200, "application/json", "{}"],
      [404, "application/json", '{"message":"no such app"}'],
    ] as const) {
      const { url, close } = await answering(status, type, body)
      const { code, out, err } = await ask(credential, "flags", "list", "--url", url)
      close()
      expect({ code, out }).toEqual({ code: 1, out: "" })
      expect(err).toMatch(/check the URL/)
      expect(err.trimEnd().split("\n")).toHaveLength(1)
    }
  })

  it("sends the credential of a file, or those of Cloudflare Access, and shows neither", async () => {
    const file = join(folder, "credential")
    await writeFile(file, "from-a-file-0123456789-0123456789\n")
    const access = { POLLEN_ACCESS_CLIENT_ID: "the-client-id", POLLEN_ACCESS_CLIENT_SECRET: "the-client-secret" }
    const { url, asked, close } = await answering(500, "application/json", "{}")
    const outcomes = await Promise.all([
      ask({}, "flags", "list", "--url", url, "--credential-file", file),
      ask(access, "flags", "list", "--url", url),
    ])
    close()
    const sent = asked.map((headers) => [headers.authorization, headers["cf-access-client-id"]])
    expect(sent.toSorted()).toEqual(
      [
        ["Bearer from-a-file-0123456789-0123456789", undefined],
        [undefined, "the-client-id"],
      ].toSorted(),
    )
    expect(asked.find((headers) => "cf-access-client-id" in headers)).toMatchObject({
      "cf-access-client-secret": "the-client-secret",
    })
    for (const { out, err } of outcomes) expect(out + err).not.toMatch(/from-a-file|the-client/)
  })

  it("takes no key for an export that is none, and does not repeat it", async () => {
    const file = join(folder, "short.key")
    await writeFile(file, "c2hvcnQ=\n")
    const there = join(folder, "export.jsonl")
    await writeFile(there, "")
    const [short, missing] = await Promise.all([
      pollen("open-export", there, "--key-file", file, "--to", join(folder, "opened")),
      pollen("open-export", there, "--to", join(folder, "opened")),
    ])
    expect(short.code).toBe(2)
    expect(short.err).toMatch(/must hold 32 bytes as base64/)
    expect(short.err).not.toContain("c2hvcnQ=")
    expect(missing).toMatchObject({ code: 2, out: "" })
    expect(missing.err).toMatch(/give --key-file or POLLEN_EXPORT_KEY/)
    await expect(stat(join(folder, "opened"))).rejects.toMatchObject({ code: "ENOENT" })
    expect(await readFile(there, "utf8")).toBe("")
  })
})
