/** Keeps from the terminal what pollen logs: it logs each fault, and there are thousands. What starts with `prefix` gets through. */
export const silence = (prefix: string) => {
  const print: unknown = Reflect.get(console, "log")
  if (typeof print !== "function") throw new Error("there is no console")
  const say = (text: string) => void Reflect.apply(print, console, [`${prefix}${text}`])
  Reflect.set(console, "log", () => undefined)
  return { say, [Symbol.dispose]: () => void Reflect.set(console, "log", print) }
}
