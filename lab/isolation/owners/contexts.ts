/** What the IOMMU would do with each device's requests: its directory, read from memory as it reads it. */
import { VIRT_MAP } from '../../../hw/boards/virt-map.ts'
import type { Machine } from '../../../hw/index.ts'
import { iommu, IOMMU_MODE } from '../../../hw/spec/devices/iommu.ts'
import { deviceContext, directoryEntry, faultRecord, MSI_BASIC, msiEntry } from '../../../hw/spec/layouts/iommu.ts'
import type { PageMap } from './page-map.ts'
import { registerOf } from './registers.ts'

export interface Context {
  readonly requester: number
  /** Of the tables behind it, -1 if it has none; and what names them. */
  readonly root: number
  readonly gscid: number
  /** Of a first stage: none of ours has one. */
  readonly isTwoStage: boolean
  /** Where messages go: pages of the machine, by number of the interrupt file; undefined: by no table. */
  readonly messages: readonly (number | undefined)[] | undefined
  /** The guest's page of the first of them. */
  readonly firstFile: number
}

const PAGE = 4096
const DIRECTORY = PAGE / directoryEntry.size
const IN_A_LEAF = PAGE / deviceContext.size
const MODE_SHIFT = 28
const SECOND_STAGE = 8

/** All valid ones; undefined: there is no IOMMU, or every device reaches everything. Claims the tables that it finds. */
export function contextsOf(machine: Machine, map: PageMap): readonly Context[] | undefined {
  const read = registerOf(machine)
  const { memory } = machine
  const ddtp = VIRT_MAP.iommu.base + iommu.ddtp.at
  if (machine.bus.find(ddtp, 4) === undefined) return undefined
  const low = read(ddtp, 4)
  if ((low & 15) !== IOMMU_MODE.LVL2) return (low & 15) === IOMMU_MODE.OFF ? [] : undefined
  const word = (address: number) => memory.words[memory.toHost(address) >> 2] >>> 0
  const pageOf = (address: number, shift: number, mask: number) =>
    ((word(address + 4) & mask) * 2 ** (32 - shift) + (word(address) >>> shift)) * PAGE
  const root = (read(ddtp + 4, 4) * 2 ** 22 + (low >>> 10)) * PAGE
  map.claimOnce(root, "the IOMMU's directory")
  const contexts: Context[] = []
  for (let index = 0; index < DIRECTORY; index++) {
    const entry = root + index * directoryEntry.size
    if ((word(entry) & 1) === 0) continue
    const leaf = pageOf(entry, 10, 0x3f_ffff)
    map.claimOnce(leaf, "a part of the IOMMU's directory")
    for (let inside = 0; inside < IN_A_LEAF; inside++) {
      const at = leaf + inside * deviceContext.size
      if ((word(at) & 1) === 0) continue
      const stage = at + deviceContext.iohgatp.at
      const hasTable = word(at + deviceContext.msiptp.at + 4) >>> MODE_SHIFT !== 0
      const files = hasTable ? 1 + word(at + deviceContext.msi_addr_mask.at) : 0
      const table = pageOf(at + deviceContext.msiptp.at, 0, 0xfff)
      if (hasTable) map.claimOnce(table, 'a table of messages')
      contexts.push({
        requester: index * IN_A_LEAF + inside,
        root: word(stage + 4) >>> MODE_SHIFT === SECOND_STAGE ? pageOf(stage, 0, 0xfff) : -1,
        gscid: (word(stage + 4) >>> 12) & 0xffff,
        isTwoStage: word(at + deviceContext.fsc.at + 4) >>> MODE_SHIFT !== 0,
        messages: hasTable ? Array.from({ length: files }, (_, file) => fileAt(word, table, file)) : undefined,
        firstFile: word(at + deviceContext.msi_addr_pattern.at) * PAGE,
      })
    }
  }
  return contexts
}

/** The page behind an entry of a table of messages; undefined if there is none. */
function fileAt(word: (address: number) => number, table: number, file: number): number | undefined {
  const low = word(table + file * msiEntry.size)
  const isBasic = (low & 1) === 1 && ((low >>> 1) & 3) === MSI_BASIC
  if (!isBasic) return undefined
  return ((word(table + file * msiEntry.size + 4) & 0x3f_ffff) * 2 ** 22 + (low >>> 10)) * PAGE
}

/** Where the IOMMU puts records of what it has refused, whoever asked. */
export function faultQueueOf(machine: Machine): { readonly base: number; readonly bytes: number } {
  const read = registerOf(machine)
  const fqb = VIRT_MAP.iommu.base + iommu.fqb.at
  const low = read(fqb, 4)
  return {
    base: (read(fqb + 4, 4) * 2 ** 22 + (low >>> 10)) * PAGE,
    bytes: 2 ** ((low & 31) + 1) * faultRecord.size,
  }
}
