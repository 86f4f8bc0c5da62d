/** A drive's namespaces: parts of its medium, one behind the other, numbered from 1. */

export interface Namespace {
  /** Where it begins on the medium. */
  readonly first: number
  readonly sectors: number
}

export type Namespaces = readonly Namespace[]

/** One of all sectors, or of the given sizes. Throws RangeError if they are not whole, or more than there is. */
export function namespacesOf(total: number, sizes: readonly number[] = [total]): Namespaces {
  let first = 0
  return sizes.map((sectors, index) => {
    if (!Number.isInteger(sectors) || sectors < 1 || first + sectors > total)
      throw new RangeError(`namespace ${index + 1} of ${sectors} sectors: the drive has ${total - first} left`)
    const namespace = { first, sectors }
    first += sectors
    return namespace
  })
}
