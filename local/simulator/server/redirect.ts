import type { Answer, Call } from "./answer.ts"

/** A parameter that no provider knows. */
const mark = "simulator_redirect=1"

const thisMachine = /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])([:/?#]|$)/

/** The location as told, and marked where it leads to a simulator of this machine. */
const marked = (location: string, from: Call): string => {
  if (location === "" || !URL.canParse(location, from.base + from.path)) return location
  const { href } = new URL(location, from.base + from.path)
  if (!thisMachine.test(href)) return location
  const [address = "", ...fragment] = location.split("#")
  return [`${address}${address.includes("?") ? "&" : "?"}${mark}`, ...fragment].join("#")
}

export const redirect = (call: Call, { location, status = 302 }: { location: string; status?: number }): Answer => ({
  status,
  headers: { location: marked(location, call) },
  body: "",
})

/** The target of a request without the mark, so that no link or listing made from it carries it on. */
export const withoutMark = (target: string): { readonly target: string; readonly redirected: boolean } => {
  const [path = "", ...question] = target.split("?")
  const parameters = question.join("?").split("&")
  const own = parameters.filter((parameter) => parameter !== mark)
  if (own.length === parameters.length) return { target, redirected: false }
  return { target: own.length === 0 ? path : `${path}?${own.join("&")}`, redirected: true }
}
