/** The words in which cycles are charged: who spent them, and doing what. The cause is free text from the spender. */

export const PARTIES = [
  'guest',
  'vmm',
  'host kernel',
  'vmm process',
  'driver domain',
  'driver',
  'firmware',
  'idle',
] as const
export type Party = (typeof PARTIES)[number]

export const ACTIVITIES = ['computing', 'world switch', 'walk', 'copy', 'emulation', 'scheduling', 'waiting'] as const
export type Activity = (typeof ACTIVITIES)[number]
