// How what is shown of a source is read from D1, beside `user_subscriptions` joined as `follow`.

/** The columns of `SourceDetails`. A source that nobody has described yet is shown by its id. */
export const detailColumns =
  "coalesce(source.title, follow.external_id) AS title, coalesce(source.url, '') AS url, source.image_url AS imageUrl"

/** The table that they come from. */
export const joinDetails =
  "LEFT JOIN subscriptions source ON source.provider = follow.provider AND source.external_id = follow.external_id"
