/** The table of a switch that learns which port a station is behind. Stations are two words: the low 32 bits of the address, and the high 16. */
const BUCKETS = 64
const WAYS = 4
const NONE = -1

export interface MacTable {
  readonly low: Int32Array
  readonly high: Int32Array
  readonly port: Int32Array
  readonly seen: Int32Array
  learned: number
}

function bucketOf(low: number, high: number): number {
  const mixed = Math.imul(low ^ high, 0x9e3779b1)
  return ((mixed >>> 26) & (BUCKETS - 1)) * WAYS
}

export function portOf(table: MacTable, low: number, high: number): number {
  const bucket = bucketOf(low, high)
  for (let way = bucket; way < bucket + WAYS; way++) {
    if (table.low[way] === low && table.high[way] === high) return table.port[way]
  }
  return NONE
}

/** Remembers a sender, in place of the one not seen for longest if the bucket is full. */
export function learn(table: MacTable, low: number, high: number, port: number, now: number): void {
  const bucket = bucketOf(low, high)
  let victim = bucket
  for (let way = bucket; way < bucket + WAYS; way++) {
    if (table.low[way] === low && table.high[way] === high) {
      table.port[way] = port
      table.seen[way] = now
      return
    }
    if (table.seen[way] < table.seen[victim]) victim = way
  }
  table.low[victim] = low
  table.high[victim] = high
  table.port[victim] = port
  table.seen[victim] = now
  table.learned += 1
}
