/** Stands for "for ever", in milliseconds: what has not happened by then, on a busy machine too, does not happen. */
export const forever = 600_000
