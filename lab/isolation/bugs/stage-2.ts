/** Bugs in guests' memory: G-stage tables, the pages behind them, and who has which. */
import type { Bug } from './bug.ts'

const area = 'stage-2'
const G_STAGE = 'vmm/core/g-stage.ts'
const GUEST_RAM = 'vmm/core/guest-ram.ts'
const FREE = 'vmm/core/free-memory.ts'

export const STAGE_2: readonly Bug[] = [
  {
    name: 'page-not-scrubbed',
    models: 'XSA-122, XSA-464: memory handed over with what was in it',
    area,
    difference: 'the second half of each 64 KiB of a page still holds what its last owner wrote',
    file: FREE,
    anchor: 'port.fill(page + record.scrubbed, 0, PIECE)',
    replacement: 'port.fill(page + record.scrubbed, 0, PIECE / 2)',
    promise: 'residue',
    seed: 7,
  },
  {
    name: 'page-given-twice',
    models: 'XSA-379: a freed page mapped a second time',
    area,
    difference: 'every fourth page that a guest gets is one that was given away before',
    file: FREE,
    anchor: 'return this.clean[record.clean]',
    replacement: 'return this.clean[record.clean % 4 === 1 ? record.clean + 1 : record.clean]',
    promise: 'memory',
    seed: 2,
  },
  {
    name: 'superpage-merged',
    models: 'XSA-442: superpages merged that do not lie together',
    area,
    difference: 'a page at an even place takes the next page of the machine with it, whoever owns that',
    file: G_STAGE,
    anchor: '  port.store64(entryAt(middle, guest, 21, 512), (host / 4096) * 1024 + LEAF)\n',
    replacement:
      '  port.store64(entryAt(middle, guest, 21, 512), (host / 4096) * 1024 + LEAF)\n' +
      '  if (guest % (2 * LARGE_PAGE) === 0)\n' +
      '    port.store64(entryAt(middle, guest, 21, 512) + 8, ((host + LARGE_PAGE) / 4096) * 1024 + LEAF)\n',
    promise: 'memory',
    seed: 5,
  },
  {
    name: 'g-stage-leaf-a-page-off',
    models: 'XSA-442: a G-stage entry that leads past its page',
    area,
    difference: 'guest pages above 4 MiB are mapped to the machine page behind their own',
    file: G_STAGE,
    anchor:
      '  const middle = tableBelow(port, entryAt(root, guest, 30, 2048), allocate)\n  if (middle === 0) return false\n  port.store64(',
    replacement:
      '  const middle = tableBelow(port, entryAt(root, guest, 30, 2048), allocate)\n  if (middle === 0) return false\n' +
      '  if (guest % 2 ** 30 >= 3 * LARGE_PAGE) host += LARGE_PAGE\n  port.store64(',
    promise: 'memory',
    seed: 1,
  },
  {
    name: 'end-of-ram-included',
    models: 'XSA-108: an emulated range that is too wide',
    area,
    difference: 'the first address behind a guest’s RAM counts as RAM: an access there faults for ever instead of once',
    file: GUEST_RAM,
    anchor: 'address < GUEST_RAM + this.bytes',
    replacement: 'address <= GUEST_RAM + this.bytes',
    promise: 'residue',
    seed: 3,
  },
  {
    name: 'crossing-unchecked',
    models: 'XSA-500: checked on one page, copied from another',
    area,
    difference: 'a buffer that crosses a 2 MiB page goes on in the machine page behind its first, whoever owns that',
    file: GUEST_RAM,
    anchor:
      'if ((offset % LARGE_PAGE) + bytes > LARGE_PAGE) return -1\n    const first = this.populate(port, address)\n    if (first === 0) return -1\n',
    replacement:
      'const first = this.populate(port, address)\n    if (first === 0) return -1\n' +
      '    if ((offset % LARGE_PAGE) + bytes > LARGE_PAGE) return first + (offset % this.#sizes.mapped)\n',
    promise: 'dma',
    seed: 2,
  },
  {
    name: 'neighbours-show-in-crossings',
    models: 'found here: what depends on where other guests’ memory lies',
    area,
    difference: 'a queue that crosses a 2 MiB page works or not, depending on what other guests took before',
    file: GUEST_RAM,
    anchor: '    if ((offset % LARGE_PAGE) + bytes > LARGE_PAGE) return -1\n',
    replacement: '',
    promise: 'invisibility',
    seed: 150,
  },
  {
    name: 'populated-again',
    models: 'XSA-507: populate-on-demand replaces a page that is in use',
    area,
    difference: 'a device that reaches for the first byte of a page gets an empty page instead of the guest’s',
    file: GUEST_RAM,
    anchor: 'if (present !== 0) return present\n',
    replacement: 'if (present !== 0 && address % LARGE_PAGE !== 0) return present\n',
    promise: 'disk',
    seed: 2,
  },
  {
    name: 'small-page-wraps',
    models: 'XSA-442: small pages behind a large one that do not follow each other',
    area,
    difference: 'with small pages, the second megabyte of each two is the first one again',
    file: GUEST_RAM,
    anchor: 'return page === 0 ? 0 : page + (guest % LARGE_PAGE)',
    replacement: 'return page === 0 ? 0 : page + (guest % (LARGE_PAGE / 2))',
    promise: 'memory',
    seed: 700,
  },
  {
    name: 'table-page-not-zeroed',
    models: 'XSA-122: an uninitialised page, here of a page table',
    area,
    difference: 'the upper half of a G-stage table is what lay there: mappings that nobody made',
    file: FREE,
    anchor: 'port.fill(table, 0, 4096)',
    replacement: 'port.fill(table, 0, 2048)',
    promise: 'residue',
    seed: 1,
  },
  {
    name: 'root-table-not-zeroed',
    models: 'XSA-122: an uninitialised page, here of a page table',
    area,
    difference: 'the upper half of a G-stage root is what lay there: a guest reaches memory above 1 TiB',
    file: 'vmm/native/boot.ts',
    anchor: 'port.fill(vm.ram.root, 0, 0x4000)',
    replacement: 'port.fill(vm.ram.root, 0, 0x2000)',
    promise: 'residue',
    seed: 3,
  },
]
