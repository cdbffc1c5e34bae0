import { spawn, spawnSync } from "node:child_process"
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest"
import { announceStack, type RunningStack, readStacks } from "../../src/cli/state/stacks.ts"
import { pollen } from "../cli/pollen.ts"

let stateDir: string
let folder: string
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "pollen-stacks-"))
  folder = join(stateDir, "stacks")
  await mkdir(folder)
})
afterEach(() => rm(stateDir, { recursive: true }))

/** A process that lives until the test is over. */
const startProcess = () => {
  const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] })
  onTestFinished(() => void child.kill())
  return child.pid ?? 0
}

const write = (pid: number, port: number) => {
  const stack: RunningStack = {
    url: `http://127.0.0.1:${port}`,
    migrationUrl: `http://127.0.0.1:${port + 1}`,
    kind: "simulated",
    pid,
    startedAt: port,
  }
  return writeFile(join(folder, `${pid}.json`), JSON.stringify(stack))
}

const ask = () => pollen("flags", "list", "--state-dir", stateDir)

it("a stack is found for as long as it runs, beside others, whose files it leaves alone", async () => {
  await write(startProcess(), 9)
  const own = { url: "http://127.0.0.1:5", migrationUrl: "http://127.0.0.1:6", kind: "simulated" } as const
  const during = Effect.andThen(announceStack(stateDir, own), readStacks(stateDir))
  expect(await Effect.runPromise(Effect.scoped(during))).toMatchObject([
    { url: "http://127.0.0.1:9" },
    { ...own, pid: process.pid },
  ])
  expect(await Effect.runPromise(readStacks(stateDir))).toMatchObject([{ url: "http://127.0.0.1:9" }])
})

it("the file of a stack whose process is gone is ignored and deleted", async () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""])
  await write(pid, 9)
  expect((await ask()).err).toMatch(/^Nothing says where the migration worker is/)
  expect(await readdir(folder)).toEqual([])
})

it("a command says which stack it asks, where it has found one", async () => {
  await write(startProcess(), 9)
  expect(await ask()).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^asking the stack on this machine, at http:\/\/127\.0\.0\.1:9\n/),
  })
})

it("a command asks for --url where several stacks run, and names them", async () => {
  await write(startProcess(), 9)
  await write(startProcess(), 19)
  const { code, err } = await ask()
  expect(code).toBe(2)
  expect(err).toMatch(/^2 stacks run on this machine; say which one you mean:\n/)
  expect(err).toContain("--url http://127.0.0.1:10   gateway at http://127.0.0.1:9, started at ")
  expect(err).toContain("--url http://127.0.0.1:20   gateway at http://127.0.0.1:19, started at ")
})
