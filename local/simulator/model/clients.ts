/** An OAuth client as its developer registers it. */
export interface RegisteredClient {
  readonly id: string
  readonly secret: string
  /**
   * The owner of the quota and the rate limit that the client's requests count towards: a developer account at Spotify, a project
   * at Google. Clients of one owner share both. The client's id unless told.
   */
  readonly developer?: string
  /** Spotify's development mode: the people, five at most, whom the API answers. Others log in and then get 403. */
  readonly allowList?: ReadonlyArray<string>
}
