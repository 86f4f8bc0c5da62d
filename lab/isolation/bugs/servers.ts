/** Drivers in servers: what is lent to their devices for a request, and taken back. */
import type { Bug } from './bug.ts'

const LOANS = 'vmm/native/loans.ts'
const DISK = 'vmm/native/placed/server/vmm-side-disk.ts'

export const SERVED: readonly Bug[] = [
  {
    name: 'loans-share-a-window',
    models: 'XSA-347: an entry that the device uses is changed under it',
    area: 'IOMMU',
    difference: 'what is lent for one request is found where that of another was: data goes to whoever asked last',
    file: LOANS,
    anchor: 'const within = address % SMALL_PAGE\n    const window = WINDOWS + tag * WINDOW_BYTES',
    replacement: 'const within = address % SMALL_PAGE\n    const window = WINDOWS + tag * 0 * WINDOW_BYTES',
    promise: 'disk',
    seed: 17,
  },
  {
    name: 'loan-not-taken-back',
    models: 'XSA-378: a mapping left after removal',
    area: 'IOMMU',
    difference: 'a device goes on reaching a guest’s buffer when the request is over',
    file: LOANS,
    anchor:
      'for (let offset = 0; offset < end; offset += SMALL_PAGE) unmapSmall(port, root, window + offset)\n    driver.invalidate(gscid)',
    replacement: 'if (end > 0) driver.invalidate(gscid)',
    promise: 'disk',
    seed: 17,
  },
  {
    name: 'loan-not-forgotten',
    models: 'XSA-321: entries that were changed and not flushed',
    area: 'IOMMU',
    difference: 'a device finds the buffer of an earlier request in what the IOMMU has kept, and uses that',
    file: LOANS,
    anchor: '    driver.invalidate(gscid)\n',
    replacement: '',
    promise: 'disk',
    seed: 33,
  },
  {
    name: 'copies-share-their-room',
    models: 'XSA-449: a requester’s identity left with another',
    area: 'block and network partitioning',
    difference: 'data that is copied for one request is overwritten by that of the next, of whatever guest',
    file: DISK,
    anchor: 'const room = copies + tag * COPIED_BYTES',
    replacement: 'const room = copies + tag * 0 * COPIED_BYTES',
    promise: 'disk',
    seed: 7,
  },
  {
    name: 'copied-to-first-request',
    models: 'XSA-449: a requester’s identity left with another',
    area: 'block and network partitioning',
    difference: 'what the disk has read for one request goes to the buffer of another',
    file: DISK,
    anchor: 'port.copy(addresses[tag], copies + tag * COPIED_BYTES, bytes)',
    replacement: 'port.copy(addresses[0], copies + tag * COPIED_BYTES, bytes)',
    promise: 'disk',
    seed: 7,
  },
]
