/**
 * The physical function's side of virtual functions on an 82576: pools and the switch between them, each one's station
 * address, and the mailbox by which their drivers ask for what only we may do. What they may ask is little: a reset, the
 * address they have been given, multicast groups. The messages are those of Intel's drivers, so either side can be another's.
 */
import type { Environment } from './environment.ts'
import { nic } from '../hw/spec/devices/nic.ts'
import { MAILBOX, MAILBOX_WORDS } from '../hw/spec/devices/nic-function.ts'
import { fieldOf, withField } from '../hw/spec/registers.ts'

const VMDQ = withField(nic.MRQC.fields.ENABLE, 0, 3)
const VF_VALID = withField(nic.RAH.fields.AV, 0, 1)
const REPLICATION = withField(nic.VT_CTL.fields.REPLICATION, 0, 1)
const LOOPBACK = withField(nic.DTXSWC.fields.LOOPBACK, 0, 1)
/** Each pool hears broadcasts, groups that it asked for, and frames without a VLAN; checksums are taken off. */
const POOL =
  withField(nic.VMOLR.fields.BAM, 0, 1) |
  withField(nic.VMOLR.fields.ROMPE, 0, 1) |
  withField(nic.VMOLR.fields.AUPE, 0, 1) |
  withField(nic.VMOLR.fields.STRCRC, 0, 1)
/** What nobody else claims, and all groups. */
const POOL_OF_ALL = withField(nic.VMOLR.fields.ROPE, 0, 1) | withField(nic.VMOLR.fields.MPME, 0, 1)
const ALL_QUEUES = withField(nic.QDE.fields.QUEUE, 0, 0xffff)
/** Virtual functions' interrupts may be masked by being sent. */
const AUTOMASK = withField(nic.GPIE.fields.EIAME, 0, 1)
const RESET_DONE = withField(nic.CTRL_EXT.fields.PFRSTD, 0, 1)
const SEND = withField(nic.P2VMAILBOX.fields.STS, 0, 1)
const ACKNOWLEDGE = withField(nic.P2VMAILBOX.fields.ACK, 0, 1)
const TAKE = withField(nic.P2VMAILBOX.fields.PFU, 0, 1)
const ALL_ONES = 0xffff_ffff
const UNICAST_WORDS = nic.UTA.count
/** Ethernet's longest frame with one VLAN tag and its checksum. */
const LONGEST = 1522
const MULTICAST_COUNT_SHIFT = 16
const MULTICAST_COUNT = 0xff
const MOST_GROUPS = 30

/** What is known of a virtual function: bits of its state. */
const GREETED = 1
const ALLOWED = 2

export interface NicFunctionsConfig {
  /** How many there will be: 1 to 7. The physical function's own pool is the one behind theirs. */
  readonly count: number
  /** The station address of each, as six bytes. */
  readonly addresses: readonly (readonly number[])[]
  /** The owner has no use for frames of its own: nothing but mailboxes interrupts. A frame of any queue would, otherwise. */
  readonly alone?: boolean
}

export interface NicFunctions {
  readonly count: number
  /** Lets one send and receive, once its driver has asked for a reset, or takes that from it. */
  allow(index: number, allowed: boolean): void
  /** Answers what has come in the mailboxes since the last time, and sees who has been reset. */
  attend(): void
  /** Tells all drivers that the link or we ourselves have changed. */
  announce(): void
}

/** For the physical function's own driver. */
export interface NicFunctionsService extends NicFunctions {
  /** After the card's reset and before it receives; `promiscuous` if the owner is a switch. */
  program(promiscuous: boolean): void
}

export function nicFunctions(env: Environment, config: NicFunctionsConfig): NicFunctionsService {
  const { device } = env
  const { count, addresses } = config
  const own = 1 << count
  const known = env.state('functions', new Int32Array(count))

  function program(promiscuous: boolean): void {
    device.write(nic.MRQC, VMDQ)
    device.write(nic.VT_CTL, (withField(nic.VT_CTL.fields.DEFAULT_POOL, 0, count) | REPLICATION) >>> 0)
    for (let pool = 0; pool <= count; pool++) device.write(nic.VMOLR, POOL >>> 0, pool)
    if (promiscuous) {
      device.write(nic.VMOLR, (POOL | POOL_OF_ALL) >>> 0, count)
      for (let i = 0; i < UNICAST_WORDS; i++) device.write(nic.UTA, ALL_ONES, i)
    }
    const high = device.read(nic.RAH, 0)
    device.write(nic.RAH, withField(nic.RAH.fields.POOLSEL, high, own), 0)
    for (let index = 0; index < count; index++) setAddress(index)
    // nobody sends under another's address, and no queue that is full holds the others up
    device.write(nic.DTXSWC, (LOOPBACK | withField(nic.DTXSWC.fields.MAC_SPOOF, 0, own - 1)) >>> 0)
    device.write(nic.QDE, ALL_QUEUES)
    device.write(nic.GPIE, AUTOMASK)
    for (let index = 0; index < count; index++) known[index] = known[index] & ALLOWED
    tellAllowed()
    device.write(nic.MBVFIMR, withField(nic.MBVFIMR.fields.VF, 0, own - 1))
    device.write(nic.CTRL_EXT, (device.read(nic.CTRL_EXT) | RESET_DONE) >>> 0)
  }

  function low(index: number): number {
    const address = addresses[index]
    return (address[0] | (address[1] << 8) | (address[2] << 16) | (address[3] << 24)) >>> 0
  }

  function high(index: number): number {
    const address = addresses[index]
    return address[4] | (address[5] << 8)
  }

  function setAddress(index: number): void {
    device.write(nic.RAL, low(index), 1 + index)
    const word = withField(nic.RAH.fields.POOLSEL, high(index) | VF_VALID, 1 << index)
    device.write(nic.RAH, word, 1 + index)
  }

  /** Our own pool always, and those that have greeted us and may. */
  function tellAllowed(): void {
    let pools = own
    for (let index = 0; index < count; index++) if (known[index] === (GREETED | ALLOWED)) pools |= 1 << index
    device.write(nic.VFRE, pools)
    device.write(nic.VFTE, pools)
  }

  function allow(index: number, allowed: boolean): void {
    const now = (known[index] & GREETED) | (allowed ? ALLOWED : 0)
    if (now === known[index]) return
    known[index] = now
    tellAllowed()
  }

  function attend(): void {
    const resets = device.read(nic.VFLRE)
    if (resets === ALL_ONES) return
    if (resets !== 0) {
      device.write(nic.VFLRE, resets)
      for (let index = 0; index < count; index++)
        if ((resets & (1 << index)) !== 0) known[index] = known[index] & ALLOWED
      tellAllowed()
    }
    const calls = device.read(nic.MBVFICR)
    if (calls === 0) return
    device.write(nic.MBVFICR, calls)
    const asking = fieldOf(nic.MBVFICR.fields.REQ, calls)
    for (let index = 0; index < count; index++) if ((asking & (1 << index)) !== 0) answer(index)
  }

  function take(index: number): boolean {
    device.write(nic.P2VMAILBOX, TAKE, index)
    return (device.read(nic.P2VMAILBOX, index) & TAKE) !== 0
  }

  /** One message. A virtual function that keeps the buffer to itself gets no answer: it hurts itself alone. */
  function answer(index: number): void {
    if (!take(index)) return
    const at = index * MAILBOX_WORDS
    const message = device.read(nic.VMBMEM, at)
    const kind = message & MAILBOX.TYPE
    if (kind === MAILBOX.RESET) {
      known[index] = known[index] | GREETED
      tellAllowed()
      device.write(nic.VMBMEM, (MAILBOX.RESET | MAILBOX.DONE) >>> 0, at)
      device.write(nic.VMBMEM, low(index), at + 1)
      device.write(nic.VMBMEM, high(index), at + 2)
    } else {
      const granted = (known[index] & GREETED) !== 0 && grants(index, message, kind)
      const verdict = granted ? MAILBOX.DONE : MAILBOX.REFUSED
      device.write(nic.VMBMEM, (message | verdict | MAILBOX.CLEAR_TO_SEND) >>> 0, at)
    }
    device.write(nic.P2VMAILBOX, SEND | ACKNOWLEDGE, index)
  }

  function grants(index: number, message: number, kind: number): boolean {
    const at = index * MAILBOX_WORDS
    if (kind === MAILBOX.SET_MAC) {
      if (message !== MAILBOX.SET_MAC) return false
      return (
        device.read(nic.VMBMEM, at + 1) === low(index) && (device.read(nic.VMBMEM, at + 2) & 0xffff) === high(index)
      )
    }
    if (kind === MAILBOX.SET_LENGTH) return device.read(nic.VMBMEM, at + 1) <= LONGEST
    if (kind !== MAILBOX.SET_MULTICAST) return false
    const groups = (message >>> MULTICAST_COUNT_SHIFT) & MULTICAST_COUNT
    if (groups > MOST_GROUPS) return false
    for (let i = 0; i < groups; i++) {
      const word = device.read(nic.VMBMEM, at + 1 + (i >>> 1))
      const hash = ((i & 1) === 0 ? word : word >>> 16) & 0xfff
      const row = hash >>> 5
      device.write(nic.MTA, (device.read(nic.MTA, row) | (1 << (hash & 31))) >>> 0, row)
    }
    return true
  }

  function announce(): void {
    for (let index = 0; index < count; index++) {
      if (!take(index)) continue
      const clear = (known[index] & GREETED) === 0 ? 0 : MAILBOX.CLEAR_TO_SEND
      device.write(nic.VMBMEM, (MAILBOX.CONTROL | clear) >>> 0, index * MAILBOX_WORDS)
      device.write(nic.P2VMAILBOX, SEND, index)
    }
  }

  return { count, program, allow, attend, announce }
}
