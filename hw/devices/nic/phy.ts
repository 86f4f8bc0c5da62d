/** The internal copper PHY behind MDIC: link by autonegotiation with whatever is at the other end of the cable. */
import type { Plain, Saved } from '../../bus/chip.ts'
import { PCTRL, PSTATUS, phy } from '../../spec/devices/nic.ts'

const REGISTERS = 32
const PAGE_SELECT = 31
/** Automatic gain of a short cable, in the pages that report it: what a driver takes a cable's length from. */
const SHORT_CABLE = 0x08 << 9
const PORT_SPEED_1000 = 0xc000
/** Abilities that the partner advertises: 10 and 100 Mb/s, both duplexes, acknowledged; 1000BASE-T full duplex. */
const PARTNER = 0x41e1
const PARTNER_1000 = 0x3800

export class Phy implements Saved {
  #words = new Uint16Array(REGISTERS)
  /** The cable carries a signal. */
  #carrier = false
  #negotiated = false
  /** PSTATUS.LINK is latched low until it is read. */
  #linkWasLost = false

  constructor() {
    this.reset()
  }

  get link(): boolean {
    return this.#carrier && (this.#negotiated || !(this.#words[phy.PCTRL] & PCTRL.AUTONEGOTIATION)) && !this.#down
  }

  get #down(): boolean {
    return (this.#words[phy.PCTRL] & PCTRL.POWER_DOWN) !== 0
  }

  get loopback(): boolean {
    return (this.#words[phy.PCTRL] & PCTRL.LOOPBACK) !== 0
  }

  /** True if negotiating is worth starting: the caller then calls {@link negotiated} after its time. */
  get negotiating(): boolean {
    return this.#carrier && !this.#negotiated && !this.#down && (this.#words[phy.PCTRL] & PCTRL.AUTONEGOTIATION) !== 0
  }

  reset(): void {
    this.#words.fill(0)
    this.#words[phy.PCTRL] = PCTRL.AUTONEGOTIATION | PCTRL.SPEED_1000 | 0x0100
    this.#words[phy.ANA] = 0x01e1
    this.#words[phy.GCON] = 0x0300
    this.#words[phy.ESTATUS] = 0x3000
    this.#drop()
  }

  setCarrier(carrier: boolean): void {
    this.#carrier = carrier
    if (!carrier) this.#drop()
  }

  negotiated(): void {
    this.#negotiated = this.#carrier
  }

  #drop(): void {
    this.#negotiated = false
    this.#linkWasLost = true
  }

  read(register: number): number {
    const { link } = this
    const page = this.#words[PAGE_SELECT]
    // pages beyond the registers' own numbers hold analog values
    if (page >= REGISTERS && register > phy.ESTATUS) return register === phy.PSTAT ? SHORT_CABLE : 0
    switch (register) {
      case phy.PSTATUS: {
        const seen = link && !this.#linkWasLost
        this.#linkWasLost = !link
        const complete = this.#negotiated ? PSTATUS.AUTONEGOTIATION_COMPLETE : 0
        return (
          0x7840 | PSTATUS.EXTENDED_STATUS | PSTATUS.AUTONEGOTIATION_ABLE | 1 | (seen ? PSTATUS.LINK : 0) | complete
        )
      }
      case phy.PHYID1:
        return phy.id[0]
      case phy.PHYID2:
        return phy.id[1]
      case phy.ANLPA:
        return this.#negotiated ? PARTNER : 0
      case phy.ANE:
        return this.#negotiated ? 1 : 0
      case phy.GSTATUS:
        return this.#negotiated ? PARTNER_1000 : 0
      case phy.PSTAT:
        return link ? PORT_SPEED_1000 : 0
      default:
        return this.#words[register]
    }
  }

  /** True if the write made the link go away: a reset, a restart of negotiation, power down. */
  write(register: number, value: number): boolean {
    if (register !== phy.PCTRL) {
      this.#words[register] = value
      return false
    }
    if (value & PCTRL.RESET) {
      this.reset()
      return true
    }
    this.#words[register] = value & ~PCTRL.RESTART_AUTONEGOTIATION
    const dropped = (value & (PCTRL.RESTART_AUTONEGOTIATION | PCTRL.POWER_DOWN)) !== 0
    if (dropped) this.#drop()
    return dropped
  }

  save(): Plain {
    return { words: [...this.#words], carrier: this.#carrier, negotiated: this.#negotiated, lost: this.#linkWasLost }
  }

  restore(state: Plain): void {
    const saved = state as { words: readonly number[]; carrier: boolean; negotiated: boolean; lost: boolean }
    this.#words = Uint16Array.from(saved.words)
    this.#carrier = saved.carrier
    this.#negotiated = saved.negotiated
    this.#linkWasLost = saved.lost
  }
}
