/** A checkout runs the source, and npm knows the command there; what is installed is one file of JavaScript. */
export const isCheckout = import.meta.url.endsWith(".ts")

const program = isCheckout ? "npm run pollen --" : "pollen"

/** A command as it is typed here, so that what is suggested works when it is pasted. */
export const typed = (words: string): string => `${program} ${words}`.trimEnd()

/** The same inside a sentence. */
export const quoted = (words: string): string => `\`${typed(words)}\``

/** Replaces `pollen` at the start of a command by what is typed here. */
export const retyped = (command: string): string => command.replace(/^pollen(?= |$)/, program)
