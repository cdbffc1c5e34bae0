/** A command as it is typed in a checkout, so that what is suggested works when it is pasted. */
export const typed = (words: string): string => `npm run pollen -- ${words}`
