import { text } from "node:stream/consumers"

// npm run --silent json: indents the JSON on stdin for a person; whatever is no JSON is printed as it came.

const given = await text(process.stdin)

const indent = (value: string): string => {
  try {
    return JSON.stringify(JSON.parse(value), null, 2)
  } catch {
    return value.trimEnd()
  }
}

process.stdout.write(`${indent(given)}\n`)
