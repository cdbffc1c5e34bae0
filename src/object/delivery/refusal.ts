/**
 * What D1 says of a statement that it refuses for its values, and would refuse again: https://www.sqlite.org/rescode.html. Anything else,
 * such as a table that is not there yet, is an outage.
 */
const ofValues = /SQLITE_(CONSTRAINT|TOOBIG|MISMATCH)|D1_TYPE_ERROR|malformed JSON|too big|too large/i

/** Whether D1 refused what it was sent for what it is. */
export const isRefusal = (reason: string): boolean => ofValues.test(reason)

/** Rows that may be set aside. What else there is stands for the state of the object, which is read when it is sent. */
export const isSetAside = (kind: string): boolean => ["item", "source", "follow", "unfollow"].includes(kind)
