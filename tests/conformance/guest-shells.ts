/** Debian's shells in guests of the native VMM, through the machine's one console. */
import { readFileSync } from 'node:fs'
import type { LinuxImages } from '../../lab/linux/debian.ts'
import { SHELL_GREETING } from '../../lab/linux/initramfs.ts'
import { buildSystem, type System, type SystemGuest, type SystemOptions } from '../../lab/system.ts'

const MIB = 2 ** 20
const NEXT_GUEST = '\x01'

/** What a guest has beside its kernel. */
export type GuestParts = Partial<Pick<SystemGuest, 'network' | 'disk' | 'cables'>> & { readonly label: string }

export class GuestShells {
  readonly system: System
  #said = ''
  #seen = 0

  /** Boots all of them to their shells, each on a hart of its own. Throws if one does not come. */
  constructor(
    images: LinuxImages,
    guests: readonly GuestParts[],
    options: Omit<SystemOptions, 'configuration' | 'harts' | 'ramBytes' | 'guests'>,
  ) {
    const kernel = readFileSync(images.kernel)
    const initrd = readFileSync(images.initrd)
    this.system = buildSystem({
      ...options,
      configuration: 'native',
      harts: guests.length,
      ramBytes: (256 + 128 * guests.length) * MIB,
      guests: guests.map((parts, hart) => ({
        ...parts,
        memoryBytes: 128 * MIB,
        vcpus: 1,
        harts: [hart],
        weight: 256,
        cap: 0,
        kernel,
        initrd,
        bootargs: 'console=ttyS0 quiet cma=4M panic=-1',
      })),
      output: bytes => void (this.#said += Buffer.from(bytes).toString('latin1')),
    })
    while (this.#said.split(SHELL_GREETING).length <= guests.length) this.#expect(SHELL_GREETING)
    this.system.machine.run({ untilCycle: this.system.machine.now() + 100_000_000 })
  }

  /** Types a command to the guest in focus; returns what it says, and its exit code in angle brackets. */
  type(command: string): string {
    this.system.board.receive(new TextEncoder().encode(`${command}; echo "<$?"">"\n`))
    this.#expect('">"\r\n')
    return this.#expect('>\r\n')
  }

  /** The next guest has the console. */
  next(): void {
    this.system.board.receive(new TextEncoder().encode(NEXT_GUEST))
  }

  /** Runs until this is said, after what has been looked at; returns all up to its end, without labels. */
  #expect(text: string, seconds = 60): string {
    const { machine } = this.system
    const end = machine.now() + seconds * machine.board.frequency
    for (;;) {
      const at = this.#said.indexOf(text, this.#seen)
      if (at >= 0) {
        const all = this.#said.slice(this.#seen, at + text.length)
        this.#seen = at + text.length
        return all.replaceAll(/\[[a-z]\w*\] /g, '')
      }
      const why = machine.run({ untilCycle: machine.now() + machine.board.frequency / 100 })
      if (why.kind === 'stopped' || machine.now() > end)
        throw new Error(`no "${text}" (${why.kind}) in:\n${this.#said.slice(this.#seen)}`)
    }
  }
}
