/** The kinds of access that translation and protection tell apart. */
export const FETCH = 0
export const LOAD = 1
export const STORE = 2
export type AccessKind = typeof FETCH | typeof LOAD | typeof STORE
