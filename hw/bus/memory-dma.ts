/** Memory as a bus master reaches it when no IOMMU stands between them: device addresses are physical ones. */
import type { Memory } from '../memory/memory.ts'
import type { Dma } from './chip.ts'

/** A `Dma` over all of `memory`; read-only regions can be read. Writes void predecoded code and reservations there. */
export function memoryDma(memory: Memory): Dma {
  return {
    read(address, into) {
      if (!memory.contains(address, into.length)) return false
      const host = memory.toHost(address)
      memory.onDma?.(host, into.length, false)
      into.set(memory.bytes.subarray(host, host + into.length))
      return true
    },
    write(address, from) {
      if (!memory.contains(address, from.length, true)) return false
      memory.onDma?.(memory.toHost(address), from.length, true)
      memory.write(address, from)
      return true
    },
  }
}
