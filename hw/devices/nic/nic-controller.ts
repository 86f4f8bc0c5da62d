/**
 * Intel 82576, one port: registers, and the paths between rings and cable. The parts: ./transmit.ts, ./receive.ts,
 * ./interrupts.ts, ./phy.ts, ./nvm.ts, over one register file.
 *
 *   TDT ──fetch──▶ frames ──wire──▶ 'sent': write-back, TXDW        cable ──▶ packet buffer ──'deliver'──▶ ring, RXDW
 */
import type { Chip, Clock, Plain, Saved, Timed } from '../../bus/chip.ts'
import { PcieFunction } from '../../bus/pcie-function.ts'
import {
  BAR0_BYTES,
  MDIC_OPERATION,
  NIC_DEVICE,
  NIC_VECTORS,
  NIC_VENDOR,
  nic,
  phy as phyRegisters,
} from '../../spec/devices/nic.ts'
import { fieldOf, withField } from '../../spec/registers.ts'
import { i82576 } from '../../time/prices-devices.ts'
import type { NicPrices } from '../../time/prices-devices.ts'
import type { Cable, End, Port } from '../cable.ts'
import { isBroadcast, isMulticast } from './filter.ts'
import { CAUSE, Interrupts } from './interrupts.ts'
import { NVM_WORDS, nvmImage } from './nvm.ts'
import { Phy } from './phy.ts'
import { Receiver } from './receive.ts'
import { RegisterFile, canonical } from './register-file.ts'
import { countSent } from './statistics.ts'
import { Transmitter } from './transmit.ts'
import type { Packet } from './transmit.ts'

export interface NicOptions {
  readonly prices?: NicPrices
}

const MSIX_BYTES = 0x4000
const PENDING_AT = 0x2000
/** In place of an event's number. */
const NONE = -1
const NETWORK_CLASS = 0x02_0000
const { CTRL, STATUS, MDIC, EERD, EEC, SWSM } = nic

/** What is on the wire: the packet, and how many of its frames have been sent. */
type Sending = { readonly packet: Packet; readonly sent: number }

export class NicController implements Timed, Saved, Port {
  readonly name: string
  readonly function: PcieFunction
  readonly #clock: Clock
  readonly #prices: NicPrices
  readonly #registers = new RegisterFile()
  readonly #nvm: Uint16Array
  readonly #phy = new Phy()
  readonly #interrupts: Interrupts
  readonly #transmitter: Transmitter
  readonly #receiver: Receiver
  readonly #mac: readonly number[]
  #cable: { readonly cable: Cable; readonly end: End } | undefined
  #sending: Sending | undefined
  #fetchEvent = NONE
  #sentEvent = NONE
  #deliverEvent = NONE
  #mdioEvent = NONE
  #negotiation = NONE
  #linkSeen = false
  /** SYSTIM, as of a cycle. */
  #time = { base: 0n, since: 0 }

  constructor(name: string, mac: readonly number[], clock: Clock, options: NicOptions = {}) {
    if (mac.length !== 6) throw new RangeError(`${name}: a station address has 6 bytes, not ${mac.length}`)
    this.name = name
    this.#mac = mac
    this.#clock = clock
    this.#prices = options.prices ?? i82576
    this.#nvm = nvmImage(mac)
    const window: Chip = {
      read: (offset, bytes) => this.#read(offset, bytes),
      write: (offset, bytes, value) => this.#write(offset, bytes, value),
    }
    const vectors: Chip = {
      read: (offset, bytes) => this.#vectorPart(offset).read(offset % PENDING_AT, bytes),
      write: (offset, bytes, value) => this.#vectorPart(offset).write(offset % PENDING_AT, bytes, value),
    }
    this.function = new PcieFunction(
      {
        vendor: NIC_VENDOR,
        device: NIC_DEVICE,
        class: NETWORK_CLASS,
        revision: 1,
        subsystemVendor: NIC_VENDOR,
        subsystem: 0xa03c,
        pin: 1,
      },
      {
        bars: [
          { index: 0, bytes: BAR0_BYTES, wide: false, chip: window },
          { index: 3, bytes: MSIX_BYTES, wide: false, chip: vectors },
        ],
        msix: { vectors: NIC_VECTORS, bar: 3, table: 0, pending: PENDING_AT },
        reset: () => this.#reset(),
      },
    )
    const msix = this.function.msix!
    this.#interrupts = new Interrupts(this.#registers, clock, this.function.line, msix)
    this.#transmitter = new Transmitter(this.#registers, this.function.dma)
    this.#receiver = new Receiver(this.#registers, this.function.dma, this.#interrupts)
    this.#loadAddress()
  }

  /** Plugs the card into an end of a cable. */
  connect(cable: Cable, end: End): void {
    this.#cable = { cable, end }
    cable.attach(end, this)
  }

  // registers

  #vectorPart(offset: number): Chip {
    const { msix } = this.function
    return offset < PENDING_AT ? msix!.table : msix!.pendingBits
  }

  #read(offset: number, bytes: 1 | 2 | 4): number {
    const word = this.#readWord(canonical(offset & ~3))
    return bytes === 4 ? word : (word >>> ((offset & 3) * 8)) & (bytes === 2 ? 0xffff : 0xff)
  }

  #readWord(at: number): number {
    const registers = this.#registers
    switch (at) {
      case nic.ICR.at:
        return this.#interrupts.readIcr()
      case nic.EICR.at:
        return this.#interrupts.readEicr()
      case nic.IMC.at:
        return registers.get(nic.IMS)
      case nic.EIMC.at:
        return registers.get(nic.EIMS)
      case STATUS.at:
        return this.#status()
      case SWSM.at: {
        // the read that finds SMBI clear has taken it
        const value = registers.get(SWSM)
        registers.setField(SWSM, SWSM.fields.SMBI, 1)
        return value
      }
      case nic.SYSTIML.at:
        return Number(this.#systemTime() & 0xffff_ffffn)
      case nic.SYSTIMH.at:
        return Number((this.#systemTime() >> 32n) & 0xffff_ffffn)
      default:
        return registers.read(at)
    }
  }

  #write(offset: number, bytes: 1 | 2 | 4, value: number): void {
    // the card decodes whole words only
    if (bytes !== 4) return
    const at = canonical(offset)
    if (this.#interrupts.write(at, value)) return
    switch (at) {
      case CTRL.at:
        return this.#control(value)
      case MDIC.at:
        return this.#mdio(value)
      case EERD.at:
        return this.#readNvm(value)
      case EEC.at: {
        const fixed = 0x7f00
        const granted = withField(EEC.fields.EE_GNT, value, fieldOf(EEC.fields.EE_REQ, value))
        this.#registers.set(EEC, ((this.#registers.get(EEC) & fixed) | (granted & ~fixed)) >>> 0)
        return
      }
      case nic.SYSTIML.at:
      case nic.SYSTIMH.at:
      case nic.TIMINCA.at:
        this.#time = { base: this.#systemTime(), since: this.#clock.now() }
        if (at === nic.TIMINCA.at) this.#registers.write(at, value)
        else if (at === nic.SYSTIML.at) this.#time.base = (this.#time.base & ~0xffff_ffffn) | BigInt(value)
        else this.#time.base = (this.#time.base & 0xffff_ffffn) | (BigInt(value) << 32n)
        return
    }
    this.#registers.write(at, value)
    if (isOf(at, nic.TDT) || isOf(at, nic.TXDCTL) || at === nic.TCTL.at) this.#fetchSoon()
    else if (isOf(at, nic.RDT) || isOf(at, nic.RXDCTL) || at === nic.RCTL.at) this.#deliverSoon()
  }

  #status(): number {
    const registers = this.#registers
    const up = this.#phy.link && registers.field(CTRL, CTRL.fields.SLU) === 1
    let status = registers.get(STATUS) & ~(1 << STATUS.fields.GIO_MASTER_ENABLE.low)
    status = withField(STATUS.fields.FD, status, registers.field(CTRL, CTRL.fields.FD))
    status = withField(STATUS.fields.LU, status, up ? 1 : 0)
    status = withField(STATUS.fields.SPEED, status, 2)
    status = withField(STATUS.fields.ASDV, status, 2)
    return withField(STATUS.fields.GIO_MASTER_ENABLE, status, 1 - registers.field(CTRL, CTRL.fields.GIO_MASTER_DISABLE))
  }

  #control(value: number): void {
    if (fieldOf(CTRL.fields.RST, value)) return this.#reset()
    const before = this.#registers.field(CTRL, CTRL.fields.PHY_RST)
    this.#registers.set(CTRL, value)
    const after = fieldOf(CTRL.fields.PHY_RST, value)
    if (after && !before) {
      this.#phy.reset()
      this.#linkChanged()
    } else if (before && !after) this.#negotiate()
    else this.#linkChanged()
  }

  /** Device reset (4.3): all but the PHY and its link. */
  #reset(): void {
    for (const event of [this.#fetchEvent, this.#sentEvent, this.#deliverEvent])
      if (event !== NONE) this.#clock.cancel(event)
    this.#fetchEvent = NONE
    this.#sentEvent = NONE
    this.#deliverEvent = NONE
    this.#sending = undefined
    this.#registers.reset()
    this.#interrupts.reset()
    this.#transmitter.reset()
    this.#receiver.reset()
    this.#time = { base: 0n, since: this.#clock.now() }
    this.#loadAddress()
  }

  #loadAddress(): void {
    const [a, b, c, d, e, f] = this.#mac as readonly [number, number, number, number, number, number]
    this.#registers.set(nic.RAL, (a | (b << 8) | (c << 16) | (d << 24)) >>> 0)
    this.#registers.set(nic.RAH, (e | (f << 8) | (1 << nic.RAH.fields.AV.low)) >>> 0)
  }

  #readNvm(value: number): void {
    if (!fieldOf(EERD.fields.START, value)) return
    const address = fieldOf(EERD.fields.ADDR, value)
    const data = address < NVM_WORDS ? this.#nvm[address] : 0
    this.#registers.set(
      EERD,
      ((data << EERD.fields.DATA.low) | (address << EERD.fields.ADDR.low) | (1 << EERD.fields.DONE.low)) >>> 0,
    )
  }

  /** SYSTIM counts TIMINCA's increment every so many 16 ns. */
  #systemTime(): bigint {
    const timinca = this.#registers.get(nic.TIMINCA)
    const period = (timinca >>> 24) * 16
    if (period === 0) return this.#time.base
    const nanoseconds = ((this.#clock.now() - this.#time.since) * 1e9) / this.#clock.frequency
    return BigInt.asUintN(64, this.#time.base + BigInt(Math.floor(nanoseconds / period)) * BigInt(timinca & 0xff_ffff))
  }

  // PHY and link

  #mdio(value: number): void {
    const fields = MDIC.fields
    this.#registers.set(MDIC, withField(fields.R, value, 0))
    // a write while one is under way replaces it
    if (this.#mdioEvent !== NONE) this.#clock.cancel(this.#mdioEvent)
    this.#mdioEvent = this.#later(this.#prices.mdio, 'mdio', null)
  }

  #mdioDone(): void {
    this.#mdioEvent = NONE
    const fields = MDIC.fields
    let value = this.#registers.get(MDIC)
    const register = fieldOf(fields.REGADD, value)
    if (fieldOf(fields.PHYADD, value) !== phyRegisters.address) value = withField(fields.E, value, 1)
    else if (fieldOf(fields.OP, value) === MDIC_OPERATION.read)
      value = withField(fields.DATA, value, this.#phy.read(register))
    else if (this.#phy.write(register, fieldOf(fields.DATA, value))) {
      this.#linkChanged()
      this.#negotiate()
    }
    this.#registers.set(MDIC, withField(fields.R, value, 1))
  }

  carrier(present: boolean): void {
    this.#phy.setCarrier(present)
    this.#negotiate()
    this.#linkChanged()
  }

  #negotiate(): void {
    if (this.#negotiation !== NONE) this.#clock.cancel(this.#negotiation)
    this.#negotiation = this.#phy.negotiating ? this.#later(this.#prices.autonegotiation, 'negotiated', null) : NONE
  }

  #linkChanged(): void {
    const { link } = this.#phy
    if (link === this.#linkSeen) return
    this.#linkSeen = link
    this.#interrupts.other(CAUSE.LSC)
    if (link) this.#fetchSoon()
  }

  // transmit

  #later(nanoseconds: number, kind: string, payload: Plain): number {
    return this.#clock.at(this.#clock.now() + Math.round((nanoseconds * this.#clock.frequency) / 1e9), kind, payload)
  }

  #fetchSoon(): void {
    if (this.#fetchEvent === NONE && !this.#sending) this.#fetchEvent = this.#later(this.#prices.fetch, 'fetch', null)
  }

  #sendNext(): void {
    for (;;) {
      const packet = this.#transmitter.fetch()
      if (!packet) return
      if (packet.frames.length > 0) {
        this.#sending = { packet, sent: 0 }
        return this.#sendFrame(packet.frames[0])
      }
      if (this.#transmitter.report(packet)) this.#interrupts.transmitted(packet.queue)
    }
  }

  /** Without a link frames are taken from the rings all the same, and lost. */
  #sendFrame(frame: Uint8Array): void {
    const loop = this.#phy.loopback || this.#registers.field(nic.RCTL, nic.RCTL.fields.LBM) !== 0
    if (loop) {
      this.receive(frame.slice(), true)
      this.#sentEvent = this.#later((frame.length * 8e9) / this.#prices.lineRate, 'sent', null)
    } else if (this.#cable && this.#phy.link)
      this.#sentEvent = this.#clock.at(this.#cable.cable.send(this.#cable.end, frame), 'sent')
    else this.#sentEvent = this.#later(0, 'sent', null)
  }

  #sent(): void {
    const { packet, sent } = this.#sending!
    const frame = packet.frames[sent]
    countSent(this.#registers, frame.length + 4, isBroadcast(frame), isMulticast(frame))
    const next = packet.frames[sent + 1]
    if (next) {
      this.#sending = { packet, sent: sent + 1 }
      return this.#sendFrame(next)
    }
    this.#sending = undefined
    if (this.#transmitter.report(packet)) this.#interrupts.transmitted(packet.queue)
    this.#sendNext()
  }

  // receive

  receive(frame: Uint8Array, intact: boolean): void {
    if (this.#receiver.accept(frame, intact)) this.#deliverSoon()
  }

  #deliverSoon(): void {
    if (this.#deliverEvent === NONE) this.#deliverEvent = this.#later(this.#prices.writeBack, 'deliver', null)
  }

  due(kind: string, payload: Plain): void {
    switch (kind) {
      case 'fetch':
        this.#fetchEvent = NONE
        if (!this.#sending) this.#sendNext()
        return
      case 'sent':
        this.#sentEvent = NONE
        return this.#sent()
      case 'deliver':
        this.#deliverEvent = NONE
        return this.#receiver.deliver()
      case 'moderated':
        return this.#interrupts.wake(payload as number)
      case 'mdio':
        return this.#mdioDone()
      case 'negotiated':
        this.#negotiation = NONE
        this.#phy.negotiated()
        return this.#linkChanged()
      default:
        throw new Error(`${this.name}: no event '${kind}'`)
    }
  }

  save(): Plain {
    const sending = this.#sending
    return {
      function: this.function.save(),
      registers: this.#registers.save(),
      phy: this.#phy.save(),
      interrupts: this.#interrupts.save(),
      transmitter: this.#transmitter.save(),
      receiver: this.#receiver.save(),
      sending: sending
        ? {
            packet: { ...sending.packet, frames: [...sending.packet.frames], reports: [...sending.packet.reports] },
            sent: sending.sent,
          }
        : null,
      events: [this.#fetchEvent, this.#sentEvent, this.#deliverEvent, this.#mdioEvent, this.#negotiation],
      linkSeen: this.#linkSeen,
      time: { base: this.#time.base.toString(), since: this.#time.since },
    }
  }

  restore(state: Plain): void {
    const saved = state as {
      function: Plain
      registers: Plain
      phy: Plain
      interrupts: Plain
      transmitter: Plain
      receiver: Plain
      sending: Sending | null
      events: readonly [number, number, number, number, number]
      linkSeen: boolean
      time: { base: string; since: number }
    }
    this.#registers.restore(saved.registers)
    this.#phy.restore(saved.phy)
    this.#interrupts.restore(saved.interrupts)
    this.#transmitter.restore(saved.transmitter)
    this.#receiver.restore(saved.receiver)
    this.#sending = saved.sending ?? undefined
    ;[this.#fetchEvent, this.#sentEvent, this.#deliverEvent, this.#mdioEvent, this.#negotiation] = saved.events
    this.#linkSeen = saved.linkSeen
    this.#time = { base: BigInt(saved.time.base), since: saved.time.since }
    this.function.restore(saved.function)
  }
}

/** True if an offset is one of a register array's elements. */
function isOf(at: number, register: { readonly at: number; readonly count: number; readonly stride: number }): boolean {
  const inside = at - register.at
  return inside >= 0 && inside < register.count * register.stride && inside % register.stride === 0
}
