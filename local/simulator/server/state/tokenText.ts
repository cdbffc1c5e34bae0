import type { Provider } from "../../model.ts"

/** How the tokens of the simulator begin, so that one can be recognised wherever it turns up. */
export const tokenPrefix: Readonly<Record<Provider, { readonly access: string; readonly refresh: string }>> = {
  spotify: { access: "BQsim", refresh: "AQsim" },
  youtube: { access: "ya29.sim", refresh: "1//sim" },
}

const prefixes = Object.values(tokenPrefix)
  .flatMap(({ access, refresh }) => [access, refresh])
  .map((prefix) => prefix.replace(".", "\\."))

/** A token of any simulator, or a good part of one. */
export const tokenPattern = new RegExp(`(?:${prefixes.join("|")})[0-9A-Za-z]{12,}`)
