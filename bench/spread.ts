/** The value at a part of the way, 0 to 1, through the sorted samples; between two samples it lies between them. */
const quantile = (samples: ReadonlyArray<number>, part: number): number => {
  const sorted = samples.toSorted((a, b) => a - b)
  const position = (sorted.length - 1) * part
  const below = sorted[Math.floor(position)] ?? Number.NaN
  const above = sorted[Math.ceil(position)] ?? Number.NaN
  return below + (above - below) * (position - Math.floor(position))
}

export const median = (samples: ReadonlyArray<number>): number => quantile(samples, 0.5)

/** Four significant digits: more would be noise. */
export const rounded = (value: number): number => Number(value.toPrecision(4))

/** Median, quartiles and extremes in words. */
export const spread = (samples: ReadonlyArray<number>): string => {
  const at = (part: number) => rounded(quantile(samples, part))
  return `median ${at(0.5)}, half of the rounds ${at(0.25)} to ${at(0.75)}, all ${at(0)} to ${at(1)}`
}

/** Runs two things by turns, and who begins by turns as well, so that whatever slows the machine down slows both. */
export const interleaved = async <A>(
  rounds: number,
  round: (index: number) => { readonly a: () => Promise<A>; readonly b: () => Promise<A> },
): Promise<ReadonlyArray<{ readonly a: A; readonly b: A }>> => {
  const results: Array<{ readonly a: A; readonly b: A }> = []
  for (let index = 0; index < rounds; index += 1) {
    const { a, b } = round(index)
    if (index % 2 === 0) {
      const first = await a()
      results.push({ a: first, b: await b() })
    } else {
      const first = await b()
      results.push({ a: await a(), b: first })
    }
  }
  return results
}
