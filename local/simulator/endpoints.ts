/** The providers' addresses below a simulator's, each in place of the real one named beside it. */
export const endpointsAt = (url: string) => ({
  spotify: {
    /** `https://accounts.spotify.com/authorize` */
    authorize: `${url}/spotify/accounts/authorize`,
    /** `https://accounts.spotify.com/api/token` */
    token: `${url}/spotify/accounts/api/token`,
    /** `https://api.spotify.com/v1` */
    api: `${url}/spotify/api/v1`,
  },
  youtube: {
    /** `https://accounts.google.com/o/oauth2/v2/auth` */
    authorize: `${url}/google/auth/o/oauth2/v2/auth`,
    /** `https://oauth2.googleapis.com/token` */
    token: `${url}/google/oauth2/token`,
    /** `https://oauth2.googleapis.com/revoke` */
    revoke: `${url}/google/oauth2/revoke`,
    /** `https://www.googleapis.com/oauth2/v3/certs` */
    certs: `${url}/google/api/oauth2/v3/certs`,
    /** `https://www.googleapis.com/youtube/v3` */
    api: `${url}/google/api/youtube/v3`,
    /** `https://www.youtube.com/feeds/videos.xml` */
    feed: `${url}/youtube/feeds/videos.xml`,
  },
})
