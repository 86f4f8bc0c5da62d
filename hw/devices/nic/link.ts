/** The port's link: the PHY behind MDIC, autonegotiation with whatever is at the other end, and whether software has heard of it. */
import type { Plain, Saved } from '../../bus/chip.ts'
import { MDIC_OPERATION, nic, phy as phyRegisters } from '../../spec/devices/nic.ts'
import { fieldOf, withField } from '../../spec/registers.ts'
import type { NicPrices } from '../../time/prices-devices.ts'
import { Phy } from './phy.ts'
import type { RegisterFile } from './register-file.ts'

/** In place of an event's number. */
const NONE = -1
const { MDIC } = nic

export interface LinkParts {
  readonly registers: RegisterFile
  readonly prices: NicPrices
  /** Calls the port with this event after so many nanoseconds. */
  later(nanoseconds: number, kind: string, payload: Plain): number
  cancel(event: number): void
  /** The link has come up, or gone. */
  changed(up: boolean): void
}

export class Link implements Saved {
  readonly #parts: LinkParts
  readonly #phy = new Phy()
  #mdioEvent = NONE
  #negotiation = NONE
  #seen = false

  constructor(parts: LinkParts) {
    this.#parts = parts
  }

  get up(): boolean {
    return this.#phy.link
  }

  get loopback(): boolean {
    return this.#phy.loopback
  }

  /** CTRL.PHY_RST was `before` and is `after`. */
  control(before: number, after: number): void {
    if (after && !before) {
      this.#phy.reset()
      this.#look()
    } else if (before && !after) this.#negotiate()
    else this.#look()
  }

  /** There is (no longer) somebody at the other end. */
  carrier(present: boolean): void {
    this.#phy.setCarrier(present)
    this.#negotiate()
    this.#look()
  }

  /** Event 'negotiated'. */
  negotiated(): void {
    this.#negotiation = NONE
    this.#phy.negotiated()
    this.#look()
  }

  /** A write to MDIC. */
  mdio(value: number): void {
    const { registers, cancel, later, prices } = this.#parts
    registers.set(MDIC, withField(MDIC.fields.R, value, 0))
    // a write while one is under way replaces it
    if (this.#mdioEvent !== NONE) cancel(this.#mdioEvent)
    this.#mdioEvent = later(prices.mdio, 'mdio', null)
  }

  /** Event 'mdio'. */
  mdioDone(): void {
    this.#mdioEvent = NONE
    const { registers } = this.#parts
    const fields = MDIC.fields
    let value = registers.get(MDIC)
    const register = fieldOf(fields.REGADD, value)
    if (fieldOf(fields.PHYADD, value) !== phyRegisters.address) value = withField(fields.E, value, 1)
    else if (fieldOf(fields.OP, value) === MDIC_OPERATION.read)
      value = withField(fields.DATA, value, this.#phy.read(register))
    else if (this.#phy.write(register, fieldOf(fields.DATA, value))) {
      this.#look()
      this.#negotiate()
    }
    registers.set(MDIC, withField(fields.R, value, 1))
  }

  #negotiate(): void {
    const { cancel, later, prices } = this.#parts
    if (this.#negotiation !== NONE) cancel(this.#negotiation)
    this.#negotiation = this.#phy.negotiating ? later(prices.autonegotiation, 'negotiated', null) : NONE
  }

  #look(): void {
    const { link } = this.#phy
    if (link === this.#seen) return
    this.#seen = link
    this.#parts.changed(link)
  }

  save(): Plain {
    return { phy: this.#phy.save(), events: [this.#mdioEvent, this.#negotiation], seen: this.#seen }
  }

  restore(state: Plain): void {
    const saved = state as { phy: Plain; events: readonly [number, number]; seen: boolean }
    this.#phy.restore(saved.phy)
    ;[this.#mdioEvent, this.#negotiation] = saved.events
    this.#seen = saved.seen
  }
}
