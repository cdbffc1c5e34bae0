/** How a source differs from what it should be. All of it can be changed later by `changeSource`. */
export interface SourceOddities {
  /** For so many looks the listing is 404: `playlistNotFound` at YouTube. Spent before `emptyLooks`. */
  readonly missingLooks?: number
  /** For so many looks the listing is empty, with a total of 0. A look is one request for episodes or playlist items. */
  readonly emptyLooks?: number
  /** What libraries and the source itself say of its size stands still while items come and go; the listing tells the truth. */
  readonly standingTotal?: boolean
}
