import { expect, it } from 'vitest'
import { ringBack, ringFront } from '../../../hw/spec/devices/ring.ts'
import {
  grant,
  GRANT_DONE,
  GRANT_PERMIT,
  GRANT_READ_ONLY,
  GRANT_REFUSED,
  GRANT_USED,
  GRANT_WINDOW,
  GRANTS,
  grantOperation,
} from '../../../hw/spec/layouts/grant.ts'
import { ring, RING_OPEN, RING_PAGES } from '../../../hw/spec/layouts/ring.ts'
import { KERNEL_BASE } from '../../../vmm/hosted/layout.ts'
import { RingBack } from '../../../vmm/virtual/ring-back.ts'
import { RingFront } from '../../../vmm/virtual/ring-front.ts'
import { ramPort } from '../hosted/ram-port.ts'

const PAGE = 4096
const MEMORY = 16 * PAGE
/** Where the guest's and the domain's memory lie on the machine. */
const GUEST = KERNEL_BASE
const DOMAIN = KERNEL_BASE + MEMORY
const TABLE = 4 * PAGE
const RING = 6 * PAGE
const PATIENCE = 4
const DATA_PAGE = 9
const OPERATIONS = 2 * PAGE

function memoryAt(base: number) {
  const reach = (_port: unknown, address: number, bytes: number) =>
    address >= 0 && address + bytes <= MEMORY ? base + address : -1
  return { reach, deviceAddress: reach }
}

function make() {
  const { port } = ramPort()
  const line = { set: () => {} }
  const mapped = new Map<number, { page: number; write: boolean }>()
  const back = new RingBack('domain', memoryAt(DOMAIN), line, {
    map: (_port, at, page, write) => Boolean(mapped.set(at, { page, write })),
    unmap: (_port, at) => void mapped.delete(at),
    forget: () => {},
  })
  const facts = { id: 1, first: 0, sectors: 8, station: 0, vlan: 0 }
  const front = new RingFront('guest', memoryAt(GUEST), line, facts, () => {})
  back.fronts.push(front)
  const entry = (reference: number) => GUEST + TABLE + reference * grant.size
  const permit = (reference: number, page: number, flags: number) => {
    port.store32(entry(reference) + grant.page.at, page)
    port.store16(entry(reference) + grant.flags.at, flags)
  }
  front.write(port, ringFront.GrantTable.at, 4, TABLE)
  front.write(port, ringFront.GrantTable.at + 4, 4, 0)
  front.write(port, ringFront.Connect.at, 4, 1)
  back.write(port, ringBack.Operations.at, 4, OPERATIONS)
  back.write(port, ringBack.Operations.at + 4, 4, 0)
  const ask = (
    register: number,
    operation: { channel?: number; grant: number; at: number; write?: boolean; offset?: number; bytes?: number },
  ) => {
    const at = DOMAIN + OPERATIONS
    port.store32(at + grantOperation.channel.at, operation.channel ?? 0)
    port.store32(at + grantOperation.grant.at, operation.grant)
    port.store64(at + grantOperation.at.at, operation.at)
    port.store32(at + grantOperation.write.at, operation.write ? 1 : 0)
    port.store32(at + grantOperation.offset.at, operation.offset ?? 0)
    port.store32(at + grantOperation.bytes.at, operation.bytes ?? 0)
    back.write(port, register, 4, 1)
    return port.load32(at + grantOperation.status.at)
  }
  return { port, back, front, mapped, entry, permit, ask }
}

it('a page is mapped only if its guest permits it now, and as it permits it', () => {
  const { port, mapped, entry, permit, ask } = make()
  const at = GRANT_WINDOW.base
  permit(5, DATA_PAGE, GRANT_PERMIT | GRANT_READ_ONLY)
  permit(6, 1000, GRANT_PERMIT)
  expect(ask(ringBack.Map.at, { grant: 4, at })).toBe(GRANT_REFUSED)
  expect(ask(ringBack.Map.at, { grant: 5, at, write: true })).toBe(GRANT_REFUSED)
  expect(ask(ringBack.Map.at, { grant: 6, at })).toBe(GRANT_REFUSED)
  expect(ask(ringBack.Map.at, { grant: GRANTS, at })).toBe(GRANT_REFUSED)
  expect(ask(ringBack.Map.at, { grant: 5, at, channel: 1 })).toBe(GRANT_REFUSED)
  expect(ask(ringBack.Map.at, { grant: 5, at: PAGE })).toBe(GRANT_REFUSED)
  expect(mapped.size).toBe(0)
  expect(ask(ringBack.Map.at, { grant: 5, at })).toBe(GRANT_DONE)
  expect(mapped.get(at)).toEqual({ page: GUEST + DATA_PAGE * PAGE, write: false })
  expect(port.load16(entry(5)) & GRANT_USED).toBe(GRANT_USED)
  // A page of the window shows one page at a time.
  expect(ask(ringBack.Map.at, { grant: 5, at })).toBe(GRANT_REFUSED)
  expect(ask(ringBack.Unmap.at, { grant: 0, at })).toBe(GRANT_DONE)
  expect(mapped.size).toBe(0)
  expect(port.load16(entry(5)) & GRANT_USED).toBe(0)
  expect(ask(ringBack.Unmap.at, { grant: 0, at })).toBe(GRANT_REFUSED)
})

it('a copy stays within the granted page and the memory of the domain', () => {
  const { port, permit, ask } = make()
  permit(5, DATA_PAGE, GRANT_PERMIT | GRANT_READ_ONLY)
  port.store32(GUEST + DATA_PAGE * PAGE + 8, 0x1234)
  expect(ask(ringBack.CopyIn.at, { grant: 5, at: 3 * PAGE, offset: 8, bytes: 8 })).toBe(GRANT_DONE)
  expect(port.load32(DOMAIN + 3 * PAGE)).toBe(0x1234)
  expect(ask(ringBack.CopyOut.at, { grant: 5, at: 3 * PAGE, offset: 8, bytes: 8 })).toBe(GRANT_REFUSED)
  expect(ask(ringBack.CopyIn.at, { grant: 5, at: 3 * PAGE, offset: 8, bytes: PAGE })).toBe(GRANT_REFUSED)
  expect(ask(ringBack.CopyIn.at, { grant: 5, at: MEMORY - 4, offset: 8, bytes: 8 })).toBe(GRANT_REFUSED)
})

it('a domain is hung that does not acknowledge events, or does not give back what it has mapped; rings are for good', () => {
  const { port, back, permit, ask } = make()
  const listen = () => {
    back.write(port, ringBack.Events.at, 4, 3 * PAGE)
    back.write(port, ringBack.Events.at + 4, 4, 0)
  }
  const looks = (count: number, acknowledged: boolean) => {
    for (let look = 0; look < count; look++) {
      if (back.look(port, PATIENCE)) return true
      if (acknowledged) back.write(port, ringBack.Acknowledge.at, 4, 1)
    }
    return false
  }
  listen()
  expect(looks(PATIENCE, false)).toBe(false)
  expect(looks(1, false)).toBe(true)
  listen()
  permit(0, DATA_PAGE, GRANT_PERMIT)
  permit(RING_PAGES, DATA_PAGE, GRANT_PERMIT)
  const ringPage = { grant: 0, at: GRANT_WINDOW.base }
  const page = { grant: RING_PAGES, at: GRANT_WINDOW.base + PAGE }
  expect(ask(ringBack.Map.at, ringPage)).toBe(GRANT_DONE)
  expect(looks(20, true)).toBe(false)
  for (let round = 0; round < 5; round++) {
    expect(ask(ringBack.Map.at, page)).toBe(GRANT_DONE)
    expect(looks(3, true)).toBe(false)
    expect(ask(ringBack.Unmap.at, page)).toBe(GRANT_DONE)
  }
  expect(ask(ringBack.Map.at, page)).toBe(GRANT_DONE)
  expect(looks(3, true)).toBe(false)
  expect(looks(1, true)).toBe(true)
})

it('of a dead domain nothing stays mapped, no grant is in use, and its guest learns that its ring is to be made anew', () => {
  const { port, back, front, mapped, entry, permit, ask } = make()
  front.write(port, ringFront.Ring.at, 4, RING)
  front.write(port, ringFront.Ring.at + 4, 4, 0)
  permit(5, DATA_PAGE, GRANT_PERMIT)
  expect(ask(ringBack.Map.at, { grant: 5, at: GRANT_WINDOW.base, write: true })).toBe(GRANT_DONE)
  back.reset(port, RING_OPEN.REPLACED)
  expect(mapped.size).toBe(0)
  expect(port.load16(entry(5) + grant.flags.at) & GRANT_USED).toBe(0)
  expect(port.load32(GUEST + RING + ring.open.at)).toBe(RING_OPEN.REPLACED)
  expect(front.isConnected()).toBe(false)
  expect(ask(ringBack.Map.at, { grant: 5, at: GRANT_WINDOW.base })).toBe(GRANT_REFUSED)
  front.write(port, ringFront.Connect.at, 4, 1)
  expect(front.isConnected()).toBe(true)
  back.lose(port, RING_OPEN.GONE)
  front.write(port, ringFront.Connect.at, 4, 1)
  expect(front.isConnected()).toBe(false)
  expect(port.load32(GUEST + RING + ring.open.at)).toBe(RING_OPEN.GONE)
})
