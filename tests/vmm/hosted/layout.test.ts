/** Where the host's kernel keeps what: each subsystem, at its largest, stays within what lies before the next. */
import { expect, test } from 'vitest'
import type { HartPort } from '../../../hw/port.ts'
import { LOCK_BYTES } from '../../../vmm/core/spin-lock.ts'
import { createCounters } from '../../../vmm/hosted/accounting.ts'
import { createDiskAccounts } from '../../../vmm/hosted/files/disk-accounts.ts'
import { clearInodes } from '../../../vmm/hosted/files/inodes.ts'
import { MOST_REQUESTS, requestAt } from '../../../vmm/hosted/files/requests.ts'
import { createTags } from '../../../vmm/hosted/files/tags.ts'
import { heapBytes } from '../../../vmm/hosted/heap.ts'
import { Events } from '../../../vmm/hosted/hypervisor/events.ts'
import { IoBuses } from '../../../vmm/hosted/hypervisor/io-buses.ts'
import { createVmids } from '../../../vmm/hosted/hypervisor/vmids.ts'
import { createStatistics } from '../../../vmm/hosted/hypervisor/statistics.ts'
import { InterruptLines } from '../../../vmm/hosted/interrupts/lines.ts'
import {
  dmaRegion,
  hartFrameOf,
  KERNEL_BASE,
  MOST_PROCESSES,
  MOST_VCPUS,
  pagePool,
  TABLES,
  taskFrameOf,
  textOf,
  vcpuFrameOf,
} from '../../../vmm/hosted/layout.ts'
import { areaAt, MOST_AREAS } from '../../../vmm/hosted/memory/areas.ts'
import { descriptorOf } from '../../../vmm/hosted/memory/descriptors.ts'
import { DeviceMemory } from '../../../vmm/hosted/memory/device-memory.ts'
import { groupAt, groupOfProcess } from '../../../vmm/hosted/memory/groups.ts'
import { createGroupCounts } from '../../../vmm/hosted/memory/group-counts.ts'
import { GuestFences } from '../../../vmm/hosted/memory/guest-fences.ts'
import { createHartMemory } from '../../../vmm/hosted/memory/hart-memory.ts'
import { BUFFER_CACHE, SlabCache } from '../../../vmm/hosted/memory/slab-cache.ts'
import { ForwardingTable } from '../../../vmm/hosted/network/forwarding-table.ts'
import { MOST_PACKETS, packetAt } from '../../../vmm/hosted/network/packets.ts'
import { MOST_SOCKETS, socketAt } from '../../../vmm/hosted/network/socket-memory.ts'
import { descriptorTableAt } from '../../../vmm/hosted/objects/descriptor-tables.ts'
import { createOpenFiles } from '../../../vmm/hosted/objects/open-files.ts'
import { createSecurity } from '../../../vmm/hosted/objects/security.ts'
import { CACHE_PAGES, PageCache } from '../../../vmm/hosted/page-cache.ts'
import { MOST_SPACES, PROGRAM_TABLES } from '../../../vmm/hosted/programs/program-frames.ts'
import { MOST_ENTITIES, threadEntity } from '../../../vmm/hosted/scheduling/entity.ts'
import { createAccounts } from '../../../vmm/hosted/scheduling/accounts.ts'
import { createTimes } from '../../../vmm/hosted/scheduling/time-keeping.ts'
import { ReadCopyUpdate } from '../../../vmm/hosted/sync/read-copy-update.ts'
import { ROOM } from '../../../vmm/hosted/proc/text.ts'
import { LocalStack } from '../../../vmm/hosted/network/local-stack.ts'
import { MOST_PATH } from '../../../vmm/hosted/programs/program-files.ts'
import { ramPort } from './ram-port.ts'

const HARTS = 32
const nobody = () => {}
const SPACES = MOST_PROCESSES + MOST_SPACES

/** Behind the last byte that is written in plain memory. */
function endOf(use: (port: HartPort) => void): number {
  const { port } = ramPort()
  let end = 0
  const upTo = (address: number, bytes: number) => {
    end = Math.max(end, address + bytes)
  }
  use({
    ...port,
    fill: (to: number, byte: number, count: number) => (upTo(to, count), port.fill(to, byte, count)),
    store32: (address: number, value: number) => (upTo(address, 4), port.store32(address, value)),
    store64: (address: number, value: number) => (upTo(address, 8), port.store64(address, value)),
    write: nobody,
    set: nobody,
    readHigh: () => 0,
  })
  return end
}

test("the kernel's tables do not overlap, however many guests, harts, threads and files there are", () => {
  const ends: Record<keyof typeof TABLES, number> = {
    cacheIndex: endOf(port => new PageCache(0).create(port)),
    spaces: descriptorOf(SPACES),
    memoryGroups: groupAt(groupOfProcess(MOST_PROCESSES)),
    areas: areaAt(MOST_AREAS + 1),
    openFiles: endOf(createOpenFiles),
    descriptorTables: descriptorTableAt(SPACES),
    rules: endOf(createSecurity),
    slabs: endOf(port => new SlabCache(BUFFER_CACHE, 0, 0, 0).create(port)),
    sockets: socketAt(MOST_SOCKETS),
    deviceMemory: endOf(port => new DeviceMemory(0).create(port)),
    cardLock: TABLES.cardLock + LOCK_BYTES,
    tags: endOf(createTags),
    text: TABLES.text + ROOM,
    diskAccounts: endOf(port => createDiskAccounts(port, HARTS)),
    inodes: endOf(clearInodes),
    guestFences: endOf(port => new GuestFences().create(port, MOST_VCPUS)),
    path: TABLES.path + MOST_PATH,
    requests: requestAt(MOST_REQUESTS),
    sorting: TABLES.sorting + heapBytes(CACHE_PAGES),
    counters: endOf(port => createCounters(port, HARTS)),
    groupCounts: endOf(port => createGroupCounts(port, HARTS)),
    hartPages: endOf(port => createHartMemory(port, HARTS)),
    programs: PROGRAM_TABLES.base + PROGRAM_TABLES.bytes,
    times: endOf(port => createTimes(port, HARTS, 1)),
    events: endOf(port => new Events(Array.from({ length: MOST_PROCESSES }), undefined as never).create(port)),
    packets: packetAt(MOST_PACKETS),
    forwarding: endOf(port => new ForwardingTable().create(port)),
    neighbours: endOf(port => new LocalStack(undefined as never, undefined as never).create(port)),
    freePages: TABLES.freePages + LOCK_BYTES,
    entities: threadEntity(MOST_ENTITIES),
    groups: endOf(port => createAccounts(port, MOST_PROCESSES + 1)),
    vmids: endOf(createVmids),
    vcpus: endOf(port => createStatistics(port, MOST_VCPUS)),
    sync: endOf(port => new ReadCopyUpdate(HARTS, nobody, nobody).create(port)),
    buses: endOf(port => new IoBuses(MOST_PROCESSES, HARTS).create(port)),
    interrupts: endOf(port => new InterruptLines().create(port)),
  }
  const names = (Object.keys(TABLES) as (keyof typeof TABLES)[]).toSorted((a, b) => TABLES[a] - TABLES[b])
  const over = names.filter((name, index) => {
    const next = names[index + 1]
    return ends[name] <= TABLES[name] || ends[name] > (next === undefined ? dmaRegion(0).base : TABLES[next])
  })
  expect(over).toEqual([])
  // What lies before them and behind.
  const others = [textOf(0), vcpuFrameOf(0), taskFrameOf(-1), hartFrameOf(0), TABLES[names[0]], dmaRegion(0).base]
  expect(others).toEqual(others.toSorted((a, b) => a - b))
  expect(hartFrameOf(HARTS)).toBeLessThanOrEqual(TABLES[names[0]])
  expect(vcpuFrameOf(MOST_VCPUS)).toBeLessThanOrEqual(taskFrameOf(-1))
  expect(textOf(0)).toBeGreaterThan(KERNEL_BASE)
  expect(pagePool(MOST_PROCESSES).base).toBeGreaterThan(dmaRegion(0).base)
})
