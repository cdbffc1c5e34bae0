import { connect, createServer, type Server, type Socket } from "node:net"
import { Effect } from "effect"
import { CannotStart } from "../../src/cli/state/error.ts"

/** The address that people see, whatever port the workers get. */
interface TcpForwarder {
  /** For example `http://127.0.0.1:8787`. */
  readonly url: string
  /** Sends connections to this port of 127.0.0.1 from now on; until then they are refused. */
  readonly forwardTo: (port: number) => Effect.Effect<void>
}

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : port)
    })
  })

const problemOf = (port: number, error: unknown): CannotStart => {
  const code = error instanceof Error && "code" in error ? error.code : ""
  const why =
    code === "EADDRINUSE"
      ? `Port ${port} is in use: stop what listens there, or choose another with --port, for example --port ${port + 1}.`
      : `Port ${port} cannot be opened (${code || String(error)}): choose another with --port.`
  return new CannotStart({ message: why })
}

/** Takes the port before anything else is started, so that one in use is noticed at once. Port 0 takes any that is free. */
export const openTcpForwarder = Effect.fn("openTcpForwarder")(function* (port: number) {
  const sockets = new Set<Socket>()
  let target: number | null = null
  const server = createServer((socket) => {
    if (target === null) return void socket.destroy()
    const upstream = connect(target, "127.0.0.1")
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(one)
      one.on("error", () => other.destroy())
      one.on("close", () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  const close = Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    for (const socket of sockets) socket.destroy()
  })
  const opened = yield* Effect.acquireRelease(
    Effect.tryPromise({ try: () => listen(server, port), catch: (error) => problemOf(port, error) }),
    () => close,
  )
  return {
    url: `http://127.0.0.1:${opened}`,
    forwardTo: (port) =>
      Effect.sync(() => {
        target = port
      }),
  } satisfies TcpForwarder
})
