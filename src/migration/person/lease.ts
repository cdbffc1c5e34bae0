/**
 * The condition of an UPDATE of `user_accounts` that the page whose lease is parameter `position` still has the person in hand: a page
 * that was cancelled, or believed dead, changes no row.
 */
export const leasedBy = (position: number): string =>
  `EXISTS (SELECT 1 FROM token_migration_status leased WHERE leased.user_id = user_accounts.user_id AND leased.lease = ?${position})`
