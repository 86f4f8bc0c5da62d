/**
 * The TypeScript software of a machine. A hart that executes an `entry` instruction asks here who is behind it. Only
 * the instructions of an installed image are doors, and only where the image was installed: anywhere else they are
 * illegal instructions.
 */
import type { Plain } from '../bus/chip.ts'
import { PAGE_SHIFT } from '../spec/address.ts'
import { RESUME_INDEX } from '../spec/port-stubs.ts'
import type { Software } from '../port.ts'
import type { PortHost } from './port/host.ts'
import { Installation, LONGEST_ENTRY, type Image } from './port/installation.ts'
import { Port } from './port/port.ts'
import { TRAPPED, type Outcome } from './services.ts'
import { MODE, PC, X } from './state.ts'

export type { Image } from './port/installation.ts'
export type { PortHost } from './port/host.ts'

export interface InstallOptions {
  /** Physical address of the image's first byte. */
  readonly base?: number
  /** Cycles that an entry may take. */
  readonly longest?: number
}

const TWO_32 = 0x1_0000_0000
const T6 = (X + 31 * 8) >> 2

export class SoftwareRegistry {
  readonly #installed: Installation[] = []
  /** By physical page number. */
  readonly #pages = new Map<number, Installation[]>()
  readonly #ports = new Map<PortHost, Port>()

  /**
   * Makes the `entry` instructions of an image the doors of `software`. The image's bytes are put into memory by
   * whoever boots it: at its origin, unless its physical address is given (a guest's image lies where its VMM put it).
   * Names identify software in snapshots. Throws if a name is taken or images overlap.
   */
  install(
    software: Software,
    image: Image,
    { base = image.origin, longest = LONGEST_ENTRY }: InstallOptions = {},
  ): void {
    const { length } = image.bytes
    for (const other of this.#installed) {
      if (other.software.name === software.name) throw new Error(`two software are called "${software.name}"`)
      const apart = base + length <= other.base || other.base + other.image.bytes.length <= base
      if (!apart) throw new Error(`${software.name} and ${other.software.name} overlap at 0x${base.toString(16)}`)
    }
    const installation = new Installation(software, image, base, longest)
    this.#installed.push(installation)
    const last = (base + length - 1) / 2 ** PAGE_SHIFT
    for (let page = Math.floor(base / 2 ** PAGE_SHIFT); page <= last; page++) {
      this.#pages.set(page, [...(this.#pages.get(page) ?? []), installation])
    }
  }

  /** Takes the software's doors away, with its abandoned entries. */
  remove(name: string): void {
    const at = this.#installed.findIndex(({ software }) => software.name === name)
    if (at < 0) throw new Error(`no software is called "${name}"`)
    const [gone] = this.#installed.splice(at, 1)
    for (const [page, installations] of this.#pages) {
      const rest = installations.filter(installation => installation !== gone)
      if (rest.length > 0) this.#pages.set(page, rest)
      else this.#pages.delete(page)
    }
  }

  /**
   * Performs `entry`: the hart's PC is its address. Afterwards PC is where the hart goes on (RELOAD: the instruction
   * retires), or the handler of a trap (TRAPPED).
   */
  enter(host: PortHost, instruction: number): Outcome {
    if (host.fetch() === TRAPPED) return TRAPPED
    const { words } = host.memory
    const address = (words[(PC >> 2) + 1] >>> 0) * TWO_32 + (words[PC >> 2] >>> 0)
    const physical = host.fetchedPage * 2 ** PAGE_SHIFT + (words[PC >> 2] & (2 ** PAGE_SHIFT - 1))
    const installation = this.#pages.get(host.fetchedPage)?.find(candidate => candidate.contains(physical))
    if (!installation?.holds(physical, instruction)) return host.illegal(instruction)
    const entry = instruction >>> 20
    const token = words[T6 + 1] === 0 ? words[T6] : -1
    const port = this.#portOf(host)
    if (token === 0 && entry < installation.software.entries.length) {
      return port.run({ installation, entry, address, physical })
    }
    const resumed = installation.suspended(token)
    if (!resumed || resumed.mode !== words[MODE >> 2]) return host.illegal(instruction)
    const done = entry === RESUME_INDEX
    if (done ? resumed.pending < 0 : resumed.physical !== physical) return host.illegal(instruction)
    installation.forget(token)
    return port.run({
      installation,
      entry: resumed.entry,
      address: resumed.address,
      physical: resumed.physical,
      resumed,
      done,
    })
  }

  save(): Plain {
    return this.#installed.map(installation => ({ name: installation.software.name, saved: installation.save() }))
  }

  /** What `save` gave, once the same software has been installed again. */
  restore(plain: Plain): void {
    for (const { name, saved } of plain as unknown as readonly { name: string; saved: Plain }[]) {
      const installation = this.#installed.find(({ software }) => software.name === name)
      if (!installation) throw new Error(`the snapshot has software "${name}", which is not installed`)
      installation.restore(saved)
    }
  }

  #portOf(host: PortHost): Port {
    let port = this.#ports.get(host)
    if (!port) {
      port = new Port(host)
      this.#ports.set(host, port)
    }
    return port
  }
}
