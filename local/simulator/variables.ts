/** The core worker's variables, with durations as short and as many requests as one likes, for providers that are the simulator at `url`. */
export const simulatedProviders = (url: string) => ({
  UNSAFE_DURATIONS: "true",
  // Intervals of seconds ask for in a minute what a day has elsewhere. What is leased is counted all the same.
  SPOTIFY_RATE: "1000000",
  YOUTUBE_DAILY_UNITS: "100000000",
  SPOTIFY_CLIENT_ID: "simulator-client",
  SPOTIFY_CLIENT_SECRET: "simulator-secret",
  SPOTIFY_API_URL: `${url}/spotify/api/v1`,
  SPOTIFY_TOKEN_URL: `${url}/spotify/accounts/api/token`,
  YOUTUBE_CLIENT_ID: "simulator-client",
  YOUTUBE_CLIENT_SECRET: "simulator-secret",
  YOUTUBE_API_URL: `${url}/google/api/youtube/v3`,
  YOUTUBE_TOKEN_URL: `${url}/google/oauth2/token`,
  YOUTUBE_FEED_URL: `${url}/youtube/feeds/videos.xml`,
  WEBSUB_URL: `${url}/youtube/websub/subscribe`,
})
