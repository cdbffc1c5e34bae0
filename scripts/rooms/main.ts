import { trackedFiles } from "../trackedFiles.ts"
import { checkRooms } from "./check.ts"

// npm run check:rooms: fails on an import against the arrow, and on a ring between folders.

const root = process.cwd()
const problems = checkRooms(root, trackedFiles(root))
for (const problem of problems) process.stdout.write(`${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1
