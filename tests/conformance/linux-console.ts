/** Linux on our machine, driven through its serial console. */
import { readFileSync } from 'node:fs'
import { type VirtBoard, virt } from '../../hw/boards/virt.ts'
import { type Machine, build } from '../../hw/index.ts'
import { fetchedLinux } from '../../lab/linux/debian.ts'
import { SHELL_GREETING } from '../../lab/linux/initramfs.ts'
import { executorFactory } from './ours.ts'

const PROMPT = '~ # '

export class LinuxConsole {
  readonly machine: Machine
  readonly #board: VirtBoard
  #said = ''
  #seen = 0

  /** Boots to the shell. `more` is appended to the initramfs. Throws if the shell does not come. */
  constructor(harts: number, more: Uint8Array) {
    const linux = fetchedLinux()
    if (!linux) throw new Error('Linux has not been fetched: run `barehart linux`')
    this.#board = virt({
      harts,
      ramBytes: 256 * 2 ** 20,
      kernel: readFileSync(linux.kernel),
      initrd: Buffer.concat([readFileSync(linux.initrd), more]),
      append: 'console=ttyS0 quiet panic=-1',
      output: bytes => void (this.#said += Buffer.from(bytes).toString('latin1')),
    })
    this.machine = build(this.#board, { executor: executorFactory('tier0') })
    this.#expect(SHELL_GREETING, 60)
    this.#expect(PROMPT, 20)
  }

  /** Types a command; returns what it says, and its exit code in brackets. */
  type(command: string, seconds = 20): string {
    this.#board.receive(new TextEncoder().encode(`${command}; echo "[$?]"\n`))
    this.#expect('"[$?]"\r\n', seconds)
    return this.#expect(`]\r\n${PROMPT}`, seconds)
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
      const why = machine.run({ untilCycle: machine.now() + frequency / 100 })
      if (why.kind !== 'cycle' || machine.now() > end)
        throw new Error(`no "${text}" (${why.kind}) in:\n${this.#said.slice(this.#seen)}`)
    }
  }
}
