/**
 * Intel 82576, one port: registers, and the paths between rings and cable. The parts: ./sender.ts, ./transmit.ts,
 * ./receive.ts, ./interrupts.ts, ./link.ts, ./nvm.ts, ./timers.ts, ./virtual-functions.ts, over one register file.
 *
 *   TDT ──fetch──▶ frames ──wire──▶ 'sent': write-back, TXDW        cable ──▶ packet buffer ──'deliver'──▶ ring, RXDW
 */
import type { Chip, Clock, Plain, Saved, Timed } from '../../bus/chip.ts'
import { PcieFunction } from '../../bus/pcie-function.ts'
import type { Sriov } from '../../bus/pcie-sriov.ts'
import {
  BAR0_BYTES,
  NIC_DEVICE,
  NIC_REVISION,
  NIC_SUBSYSTEM,
  NIC_VECTORS,
  NIC_VENDOR,
  nic,
} from '../../spec/devices/nic.ts'
import { fieldOf, withField } from '../../spec/registers.ts'
import { i82576 } from '../../time/prices-devices.ts'
import type { NicPrices } from '../../time/prices-devices.ts'
import type { Cable, End, Port } from '../cable.ts'
import { CAUSE, Interrupts } from './interrupts.ts'
import { Link } from './link.ts'
import { NVM_WORDS, nvmImage } from './nvm.ts'
import { Receiver } from './receive.ts'
import { RegisterFile, canonical } from './register-file.ts'
import { Sender } from './sender.ts'
import { Timers } from './timers.ts'
import { Transmitter } from './transmit.ts'
import { VirtualFunctions } from './virtual-functions.ts'

export interface NicOptions {
  readonly prices?: NicPrices
  /** Virtual functions that software can make appear: none, and no capability for them, unless given. */
  readonly virtualFunctions?: number
  /** Which port of its card this is, and how many there are: the only one unless given. */
  readonly port?: { readonly number: number; readonly of: number; readonly first?: NicController }
}

const MSIX_BYTES = 0x4000
const PENDING_AT = 0x2000
/** In place of an event's number. */
const NONE = -1
const NETWORK_CLASS = 0x02_0000
const NO_VECTORS = { bits: 0, raise: () => {} }
const { CTRL, CTRL_EXT, STATUS, MDIC, EERD, EEC, SWSM } = nic

export class NicController implements Timed, Saved, Port {
  readonly name: string
  readonly function: PcieFunction
  /** The virtual functions of this port, if it may have any. */
  readonly virtual: Sriov | undefined
  readonly #clock: Clock
  readonly #prices: NicPrices
  readonly #registers = new RegisterFile()
  readonly #nvm: Uint16Array
  readonly #link: Link
  readonly #interrupts: Interrupts
  readonly #transmitter: Transmitter
  readonly #receiver: Receiver
  readonly #sender: Sender
  readonly #timers: Timers
  readonly #functions: VirtualFunctions | undefined
  readonly #port: number
  readonly #mac: readonly number[]
  #cable: { readonly cable: Cable; readonly end: End } | undefined
  #deliverEvent = NONE
  /** Resets so far: what was under way before one is forgotten. */
  #epoch = 0

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
    const { virtualFunctions = 0, port = { number: 0, of: 1 } } = options
    this.#port = port.number
    this.#functions = virtualFunctions > 0 ? this.#makeFunctions(virtualFunctions, port) : undefined
    this.virtual = this.#functions?.sriov
    const { virtual } = this
    this.function = new PcieFunction(
      {
        vendor: NIC_VENDOR,
        device: NIC_DEVICE,
        class: NETWORK_CLASS,
        revision: NIC_REVISION,
        subsystemVendor: NIC_VENDOR,
        subsystem: NIC_SUBSYSTEM,
        pin: port.number === 0 ? 1 : 2,
        several: port.number === 0 && port.of > 1,
      },
      {
        bars: [
          { index: 0, bytes: BAR0_BYTES, wide: false, chip: window },
          { index: 3, bytes: MSIX_BYTES, wide: false, chip: vectors },
        ],
        msix: { vectors: NIC_VECTORS, bar: 3, table: 0, pending: PENDING_AT },
        ...(virtual && { extended: virtual.extended }),
        reset: () => {
          this.#reset()
          virtual?.reset()
        },
      },
    )
    const registers = this.#registers
    const { dma, line, msix } = this.function
    const functions = this.#functions
    const memory = functions ? (queue: number) => functions.dma(queue) : () => dma
    this.#timers = new Timers(registers, clock)
    this.#link = new Link({
      registers,
      prices: this.#prices,
      later: (nanoseconds, kind, payload) => this.#later(nanoseconds, kind, payload),
      cancel: event => clock.cancel(event),
      changed: up => this.#linkChanged(up),
    })
    this.#interrupts = new Interrupts(registers, clock, line, msix!, functions ?? NO_VECTORS)
    const transmitter = new Transmitter(registers, memory)
    this.#transmitter = transmitter
    this.#receiver = new Receiver(
      registers,
      memory,
      this.#interrupts,
      (queue, causes, nanoseconds) => this.#arrived(queue, causes, nanoseconds),
      functions,
    )
    this.#sender = new Sender({
      registers,
      transmitter,
      interrupts: this.#interrupts,
      prices: this.#prices,
      virtual: functions,
      later: (nanoseconds, kind, payload) => this.#later(nanoseconds, kind, payload),
      cancel: event => clock.cancel(event),
      wire: frame =>
        this.#cable && this.#link.up ? clock.at(this.#cable.cable.send(this.#cable.end, frame), 'sent') : undefined,
      loops: () => this.#link.loopback || registers.field(nic.RCTL, nic.RCTL.fields.LBM) !== 0,
      receive: frame => this.receive(frame, true),
    })
    this.#loadAddress()
  }

  #makeFunctions(count: number, { number, of, first }: NonNullable<NicOptions['port']>): VirtualFunctions {
    return new VirtualFunctions(
      count,
      { next: number + 1 < of ? number + 1 : 0, ...(first?.virtual && { first: first.virtual }) },
      {
        registers: this.#registers,
        read: offset => this.#readWord(offset),
        write: (offset, value) => this.#write(offset, 4, value),
        interrupts: () => this.#interrupts,
        physical: () => this.function,
        called: () => this.#interrupts.other(CAUSE.VMMB),
        stopped: pool => this.#sender.forget(pool),
      },
    )
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
        return Number(this.#timers.system & 0xffff_ffffn)
      case nic.SYSTIMH.at:
        return Number(this.#timers.system >> 32n)
      case nic.FRTIMER.at:
        return this.#timers.free
    }
    if (this.#functions && isOf(at, nic.P2VMAILBOX))
      return this.#functions.mailboxes.readPhysical((at - nic.P2VMAILBOX.at) / nic.P2VMAILBOX.stride)
    return registers.read(at)
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
        return this.#link.mdio(value)
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
        return this.#timers.write(at, value)
    }
    if (isOf(at, nic.P2VMAILBOX)) {
      return this.#functions?.mailboxes.writePhysical((at - nic.P2VMAILBOX.at) / nic.P2VMAILBOX.stride, value)
    }
    this.#registers.write(at, value)
    if (isOf(at, nic.TDT) || isOf(at, nic.TXDCTL) || at === nic.TCTL.at) this.#sender.fetchSoon()
    else if (isOf(at, nic.RDT) || isOf(at, nic.RXDCTL) || at === nic.RCTL.at) this.#deliverSoon()
    else if (at === nic.VFTE.at) this.#sender.fetchSoon()
    else if (at === CTRL_EXT.at && fieldOf(CTRL_EXT.fields.PFRSTD, value)) this.#functions?.mailboxes.resetDone()
  }

  #status(): number {
    const registers = this.#registers
    const up = this.#link.up && registers.field(CTRL, CTRL.fields.SLU) === 1
    let status = registers.get(STATUS) & ~(1 << STATUS.fields.GIO_MASTER_ENABLE.low)
    status = withField(STATUS.fields.FD, status, registers.field(CTRL, CTRL.fields.FD))
    status = withField(STATUS.fields.LU, status, up ? 1 : 0)
    status = withField(STATUS.fields.SPEED, status, 2)
    status = withField(STATUS.fields.ASDV, status, 2)
    status = withField(STATUS.fields.LAN_ID, status, this.#port)
    const active = this.#functions?.sriov.active ?? 0
    status = withField(STATUS.fields.NUM_VFS, status, active)
    status = withField(STATUS.fields.IOV_MODE, status, active > 0 ? 1 : 0)
    return withField(STATUS.fields.GIO_MASTER_ENABLE, status, 1 - registers.field(CTRL, CTRL.fields.GIO_MASTER_DISABLE))
  }

  #control(value: number): void {
    if (fieldOf(CTRL.fields.RST, value)) return this.#reset()
    const before = this.#registers.field(CTRL, CTRL.fields.PHY_RST)
    this.#registers.set(CTRL, value)
    this.#link.control(before, fieldOf(CTRL.fields.PHY_RST, value))
  }

  /** Device reset (4.3): all but the PHY and its link. */
  #reset(): void {
    if (this.#deliverEvent !== NONE) this.#clock.cancel(this.#deliverEvent)
    this.#deliverEvent = NONE
    this.#epoch++
    this.#sender.reset()
    this.#registers.reset()
    this.#functions?.reset()
    this.#interrupts.reset()
    this.#transmitter.reset()
    this.#receiver.reset()
    this.#timers.reset()
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

  carrier(present: boolean): void {
    this.#link.carrier(present)
  }

  #linkChanged(up: boolean): void {
    this.#interrupts.other(CAUSE.LSC)
    if (up) this.#sender.fetchSoon()
  }

  #later(nanoseconds: number, kind: string, payload: Plain): number {
    return this.#clock.at(this.#clock.now() + Math.round((nanoseconds * this.#clock.frequency) / 1e9), kind, payload)
  }

  // receive

  receive(frame: Uint8Array, intact: boolean): void {
    if (this.#receiver.accept(frame, intact)) this.#deliverSoon()
  }

  #arrived(queue: number, causes: number, nanoseconds: number): void {
    if (nanoseconds === 0) this.#interrupts.received(queue, causes)
    else this.#later(nanoseconds, 'arrived', { queue, causes, epoch: this.#epoch })
  }

  #deliverSoon(): void {
    if (this.#deliverEvent === NONE) this.#deliverEvent = this.#later(this.#prices.writeBack, 'deliver', null)
  }

  due(kind: string, payload: Plain): void {
    switch (kind) {
      case 'fetch':
        return this.#sender.fetch()
      case 'sent':
        return this.#sender.sent()
      case 'translated':
        return this.#sender.translated()
      case 'arrived': {
        const { queue, causes, epoch } = payload as { queue: number; causes: number; epoch: number }
        if (epoch === this.#epoch) this.#interrupts.received(queue, causes)
        return
      }
      case 'switched': {
        const { frame, pools } = payload as { frame: Uint8Array; pools: number }
        if (this.#receiver.admit(frame, pools)) this.#deliverSoon()
        return
      }
      case 'deliver':
        this.#deliverEvent = NONE
        return this.#receiver.deliver()
      case 'moderated':
        return this.#interrupts.wake(payload as number)
      case 'mdio':
        return this.#link.mdioDone()
      case 'negotiated':
        return this.#link.negotiated()
      default:
        throw new Error(`${this.name}: no event '${kind}'`)
    }
  }

  save(): Plain {
    return {
      function: this.function.save(),
      registers: this.#registers.save(),
      link: this.#link.save(),
      interrupts: this.#interrupts.save(),
      transmitter: this.#transmitter.save(),
      receiver: this.#receiver.save(),
      sender: this.#sender.save(),
      virtual: this.#functions?.save() ?? null,
      deliverEvent: this.#deliverEvent,
      epoch: this.#epoch,
      timers: this.#timers.save(),
    }
  }

  restore(state: Plain): void {
    const saved = state as {
      function: Plain
      registers: Plain
      link: Plain
      interrupts: Plain
      transmitter: Plain
      receiver: Plain
      sender: Plain
      virtual: Plain
      deliverEvent: number
      epoch: number
      timers: Plain
    }
    this.#registers.restore(saved.registers)
    this.#link.restore(saved.link)
    this.#interrupts.restore(saved.interrupts)
    this.#transmitter.restore(saved.transmitter)
    this.#receiver.restore(saved.receiver)
    this.#sender.restore(saved.sender)
    this.#functions?.restore(saved.virtual)
    this.#deliverEvent = saved.deliverEvent
    this.#epoch = saved.epoch
    this.#timers.restore(saved.timers)
    this.function.restore(saved.function)
  }
}

/** True if an offset is one of a register array's elements. */
function isOf(at: number, register: { readonly at: number; readonly count: number; readonly stride: number }): boolean {
  const inside = at - register.at
  return inside >= 0 && inside < register.count * register.stride && inside % register.stride === 0
}
