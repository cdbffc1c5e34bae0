const isTerminal = process.stdout.isTTY === true

export const say = (text: string) => process.stdout.write(`${text}\n`)

/** On a terminal progress stays on one line; elsewhere a line is written every 5 seconds at most. */
export const progress = (name: string) => {
  let saidAt = 0
  return (text: string) => {
    if (isTerminal) return void process.stdout.write(`\r\u001b[K  ${name}: ${text}`)
    if (performance.now() - saidAt < 5000) return
    saidAt = performance.now()
    say(`  ${name}: ${text}`)
  }
}

/** Takes away the line of progress, if there is one. */
export const endProgress = () => {
  if (isTerminal) process.stdout.write("\r\u001b[K")
}
