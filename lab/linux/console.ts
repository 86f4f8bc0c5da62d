/** Debian's Linux on our machine, driven through its serial console. */
import { readFileSync } from 'node:fs'
import { type AiaChoice, type VirtBoard, type VirtNic, virt } from '../../hw/boards/virt.ts'
import type { Backing } from '../../hw/devices/disk-backing.ts'
import type { Machine, ModeParties } from '../../hw/index.ts'
import { buildMachine } from '../machine.ts'
import type { LinuxImages } from './debian.ts'
import { SHELL_GREETING } from './initramfs.ts'

const PROMPT = '~ # '
const MIB = 2 ** 20
const BOOT_SECONDS = 60

export interface LinuxOptions {
  readonly images: LinuxImages
  readonly harts: number
  readonly ramBytes?: number
  /** Uncompressed archives of files, put into the initramfs above what it has. */
  readonly archive?: Uint8Array
  readonly disks?: readonly Backing[]
  readonly nics?: readonly VirtNic[]
  readonly parties?: ModeParties
  readonly aia?: AiaChoice
  readonly iommu?: boolean
}

/** Linux looks for an uncompressed archive behind a compressed one at a multiple of four bytes, and skips zeros. */
function aligned(archive: Buffer): Buffer {
  return Buffer.concat([archive, Buffer.alloc(-archive.length & 3)])
}

export class LinuxConsole {
  readonly machine: Machine
  /** Cycles of a turn while several harts are awake; the machine's own if it is undefined. */
  slice: number | undefined
  readonly #board: VirtBoard
  #said = ''
  #seen = 0

  /** Boots to the shell. Throws if the shell does not come. */
  constructor({
    images,
    harts,
    ramBytes = 256 * MIB,
    archive = new Uint8Array(),
    disks = [],
    nics = [],
    parties,
    aia,
    iommu = false,
  }: LinuxOptions) {
    this.#board = virt({
      harts,
      ramBytes,
      kernel: readFileSync(images.kernel),
      initrd: Buffer.concat([aligned(readFileSync(images.initrd)), archive]),
      append: 'console=ttyS0 quiet panic=-1 nokaslr',
      disks,
      nics,
      ...(aia && { aia }),
      iommu,
      output: bytes => void (this.#said += Buffer.from(bytes).toString('latin1')),
    })
    this.machine = buildMachine(this.#board, { ...(parties && { parties }) })
    this.#expect(SHELL_GREETING, BOOT_SECONDS)
    this.#expect(PROMPT, BOOT_SECONDS)
  }

  /** Types a command; returns what it says, and its exit code in brackets. Takes at most so many of the machine's seconds. */
  type(command: string, seconds = 20): string {
    this.#board.receive(new TextEncoder().encode(`${command}\n`))
    this.#expect('\r\n', seconds)
    const said = this.#expect(PROMPT, seconds)
    this.#board.receive(new TextEncoder().encode('echo "[$?]"\n'))
    this.#expect('"[$?]"\r\n', seconds)
    return said.slice(0, -PROMPT.length) + this.#expect(`]\r\n${PROMPT}`, seconds)
  }

  /** Types a command and throws what it said if it failed. */
  must(command: string, seconds = 20): string {
    const said = this.type(command, seconds)
    if (!said.includes('[0]')) throw new Error(`Linux: "${command}" failed: ${said.trim()}`)
    return said
  }

  /** Runs, for so many of the machine's seconds, until something new is said; returns all up to its end. */
  #expect(text: string, seconds: number): string {
    const { machine } = this
    const { frequency } = machine.board
    const end = machine.now() + seconds * frequency
    for (;;) {
      const at = this.#said.indexOf(text, this.#seen)
      if (at >= 0) {
        const said = this.#said.slice(this.#seen, at + text.length)
        this.#seen = at + text.length
        return said
      }
      const why = machine.run({
        untilCycle: machine.now() + frequency / 100,
        ...(this.slice && { slice: this.slice }),
      })
      if (why.kind !== 'cycle' || machine.now() > end)
        throw new Error(`no "${text}" (${why.kind}) in:\n${this.#said.slice(this.#seen)}`)
    }
  }
}
