import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { Worker } from "node:worker_threads"

// npm run test:busy [-- arguments of vitest]: runs the tests beside eight loops that never rest, and ends with vitest's exit code.
// A test that fails here and not alone waits for a time instead of a condition, or takes a short time for "for ever".

const loops = Array.from({ length: 8 }, () => new Worker("for (;;);", { eval: true }))

const vitest = spawn(
  process.execPath,
  [join(process.cwd(), "node_modules/vitest/vitest.mjs"), "run", ...process.argv.slice(2)],
  { stdio: "inherit" },
)
// Ctrl-C reaches vitest too, which ends what it has started; this process ends after it.
process.on("SIGINT", () => undefined)
const [code] = await once(vitest, "exit")
await Promise.all(loops.map((loop) => loop.terminate()))
process.exitCode = typeof code === "number" ? code : 1
