/** How long a grant can be refreshed, in seconds by the simulator's clock; `null` for without end. */
export interface GrantLifetime {
  /** From the person's authorization. Refreshing does not extend it. Six months at Spotify, none at Google unless told. */
  readonly sinceAuthorizationSeconds?: number | null
  /** From the last refresh, or from the authorization before the first. Six months at Google, none at Spotify unless told. */
  readonly unusedSeconds?: number | null
}

/** 183 days. No six months of the calendar have more than 184 days or fewer than 181. */
export const sixMonthsSeconds = 183 * 86_400

/** Google, for an application whose publishing status is "testing": set it as `sinceAuthorizationSeconds`. */
export const testingModeSeconds = 7 * 86_400
