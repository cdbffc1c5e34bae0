import { createServer } from "node:http"
import { onTestFinished } from "vitest"

export interface Asked {
  readonly method: string
  readonly path: string
  readonly body: string
}

export interface Answered {
  readonly status: number
  readonly body: object
  /** `application/problem+json` for anything but 200, unless given. */
  readonly type?: string
}

/** A server in the place of a migration worker, until the test is over; it remembers what it was asked. */
export const startStranger = async (answer: (asked: Asked) => Answered) => {
  const requests: Array<Asked> = []
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const asked = { method: request.method ?? "", path: request.url ?? "", body: Buffer.concat(chunks).toString() }
      requests.push(asked)
      const { status, body, type = status === 200 ? "application/json" : "application/problem+json" } = answer(asked)
      response.writeHead(status, { "content-type": type }).end(JSON.stringify(body))
    })
  })
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${port}`, requests }
}
