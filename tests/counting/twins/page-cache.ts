/** A host kernel's page cache: pages found by file and index, the least recently used given up. */
export const BUCKETS = 256
const NONE = -1

export interface PageCache {
  readonly buckets: Int32Array
  readonly file: Int32Array
  readonly index: Int32Array
  readonly chain: Int32Array
  readonly newer: Int32Array
  readonly older: Int32Array
  newest: number
  oldest: number
  misses: number
}

function bucketOf(file: number, index: number): number {
  return Math.imul(index + file * 61, 0x61c88647) >>> 24
}

function unlink(cache: PageCache, page: number): void {
  const newer = cache.newer[page]
  const older = cache.older[page]
  if (newer === NONE) cache.newest = older
  else cache.older[newer] = older
  if (older === NONE) cache.oldest = newer
  else cache.newer[older] = newer
}

function linkNewest(cache: PageCache, page: number): void {
  const { newest } = cache
  cache.newer[page] = NONE
  cache.older[page] = newest
  if (newest !== NONE) cache.newer[newest] = page
  else cache.oldest = page
  cache.newest = page
}

export function findPage(cache: PageCache, file: number, index: number): number {
  let page = cache.buckets[bucketOf(file, index)]
  while (page !== NONE && (cache.file[page] !== file || cache.index[page] !== index)) page = cache.chain[page]!
  if (page !== NONE && page !== cache.newest) {
    unlink(cache, page)
    linkNewest(cache, page)
  }
  return page
}

/** Takes the page used longest ago for another block of a file. */
export function replacePage(cache: PageCache, file: number, index: number): number {
  const page = cache.oldest
  if (cache.file[page] !== NONE) {
    const old = bucketOf(cache.file[page], cache.index[page])
    let at = cache.buckets[old]
    if (at === page) cache.buckets[old] = cache.chain[page]!
    else {
      while (cache.chain[at] !== page) at = cache.chain[at]!
      cache.chain[at] = cache.chain[page]!
    }
  }
  const bucket = bucketOf(file, index)
  cache.file[page] = file
  cache.index[page] = index
  cache.chain[page] = cache.buckets[bucket]!
  cache.buckets[bucket] = page
  unlink(cache, page)
  linkNewest(cache, page)
  cache.misses += 1
  return page
}
