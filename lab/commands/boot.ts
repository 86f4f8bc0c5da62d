/** `barehart boot IMAGE`: runs any bare-metal payload, its console in the terminal. */
import { setImmediate } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { type AiaChoice, virt } from '../../hw/boards/virt.ts'
import type { Machine, StopReason } from '../../hw/index.ts'
import { type CoreOptions, pricesOf, withCoreOptions } from '../core-options.ts'
import { parseRam } from '../description/size.ts'
import { fileDisk, readImage } from '../files.ts'
import { buildMachine } from '../machine.ts'
import { nicOnStation } from '../network.ts'
import { type Exchange, parseExchange, Terminal } from '../terminal.ts'
import { UserError } from '../user-error.ts'

interface BootOptions extends CoreOptions {
  readonly bios: string
  readonly initrd?: string
  readonly disk: readonly string[]
  readonly iommu?: boolean
  readonly aia?: AiaChoice
  readonly net?: boolean
  readonly append: string
  readonly harts: string
  readonly ram: string
  readonly until?: string
  readonly send: readonly Exchange[]
  readonly limitInstructions?: string
  readonly stats?: boolean
}

/** Cycles between two looks at keyboard and script. */
const TURN = 2_000_000
const MOST_HARTS = 8

function collect<T>(value: T, before: readonly T[]): readonly T[] {
  return [...before, value]
}

/** Collects `SEEN=>TYPED` options. */
export function exchange(text: string, before: readonly Exchange[]): readonly Exchange[] {
  const parsed = parseExchange(text)
  if (!parsed) throw new UserError(`--send "${text}" is not SEEN=>TYPED, such as "login:=>root"`)
  return collect(parsed, before)
}

export function bootCommand(): Command {
  const command = new Command('boot')
    .description(
      'run a bare-metal payload: ELF, Linux Image or raw; the exit code is that of the test finisher or of tohost',
    )
    .argument('<image>', 'the payload')
    .option(
      '--bios <file>',
      'what runs in M-mode: "default" is our SBI firmware, "none" enters the image there, or a file',
      'default',
    )
    .option('--initrd <file>', 'initial RAM disk')
    .option('--disk <file>', 'an NVMe disk in an image file; may be repeated', collect<string>, [])
    .option('--net', 'a network card, on a cable to a station that answers at 10.0.0.1')
    .option('--iommu', 'an IOMMU between devices and memory')
    .addOption(
      new Option('--aia <what>', 'the Advanced Interrupt Architecture in place of the PLIC').choices([
        'aplic',
        'aplic-imsic',
      ]),
    )
    .option('--append <text>', 'the kernel command line', '')
    .option('--harts <n>', 'number of harts', '1')
    .option('--ram <size>', 'RAM, such as 128M', '128M')
    .option('--until <text>', 'end, with success, once this has been printed')
    .option(
      '--send <exchange>',
      'SEEN=>TYPED: type TYPED once SEEN has been printed; may be repeated, in order',
      exchange,
      [],
    )
    .option('--limit-instructions <n>', 'end, with exit code 3, after so many instructions of hart 0')
    .option('--stats', 'at the end print cycles, instructions and host time to standard error')
    .action(boot)
  return withCoreOptions(command)
}

/** A whole number within limits. */
export function wholeNumber(text: string, option: string, least: number, most: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || value > most)
    throw new UserError(`${option} ${text} is not a whole number from ${least} to ${most}`)
  return value
}

async function boot(image: string, options: BootOptions): Promise<void> {
  const limit =
    options.limitInstructions === undefined
      ? Infinity
      : wholeNumber(options.limitInstructions, '--limit-instructions', 1, Number.MAX_SAFE_INTEGER)
  const prices = pricesOf(options)
  const terminal: Terminal = new Terminal(
    bytes => board.receive(bytes),
    bytes => void process.stdout.write(bytes),
    options.send,
    options.until,
  )
  const board = boardOf(image, options, bytes => terminal.print(bytes))
  let machine: Machine
  try {
    machine = buildMachine(board, { prices })
  } catch (error) {
    throw new UserError(imageFault((error as Error).message, image, options.bios))
  }
  const started = performance.now()
  const release = terminal.takeKeyboard()
  const stop = await run(machine, terminal, limit)
  release()
  if (options.stats) {
    const seconds = (performance.now() - started) / 1000
    console.error(
      `\n${machine.now()} cycles, ${seconds.toFixed(2)} s on this computer, ${(machine.now() / seconds / 1e6).toFixed(0)} M cycles a second`,
    )
  }
  process.exitCode = exitCode(stop, terminal)
}

function boardOf(image: string, options: BootOptions, output: (bytes: Uint8Array) => void) {
  const { bios, initrd, disk, net, append, iommu = false, aia } = options
  const harts = wholeNumber(options.harts, '--harts', 1, MOST_HARTS)
  const ramBytes = parseRam(options.ram, '--ram')
  try {
    return virt({
      kernel: readImage(image, 'image'),
      bios: bios === 'default' || bios === 'none' ? bios : readImage(bios, 'bios'),
      ...(initrd !== undefined && { initrd: readImage(initrd, 'initrd') }),
      disks: disk.map(fileDisk),
      nics: net ? [nicOnStation()] : [],
      append,
      iommu,
      ...(aia && { aia }),
      harts,
      ramBytes,
      output,
    })
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(imageFault((error as Error).message, image, bios))
  }
}

/** The board calls images by what they are; people know them by their files. */
function imageFault(message: string, image: string, bios: string): string {
  const named = message.replace(/^kernel:/, `image ${image}:`).replace(/^bios:/, `bios ${bios}:`)
  if (named === message) return message
  return `${named}; ${/RAM/.test(message) ? 'raise --ram' : 'give a riscv64 ELF file, Linux Image or raw binary'}`
}

type Ending = StopReason | { readonly kind: 'left' | 'seen' }

async function run(machine: Machine, terminal: Terminal, limit: number): Promise<Ending> {
  let left = limit
  for (;;) {
    const before = machine.harts[0].retired()
    const stop = machine.run({
      untilCycle: machine.now() + TURN,
      ...(left !== Infinity && { maxInstructions: left }),
      until: () => terminal.untilSeen,
    })
    left -= machine.harts[0].retired() - before
    if (terminal.untilSeen) return { kind: 'seen' }
    if (stop.kind === 'stopped' || left <= 0) return stop
    if (!terminal.answer() && stop.kind === 'idle' && process.stdin.readableEnded) return stop
    // Lets the keyboard, and what was printed, through.
    await setImmediate()
    if (terminal.left) return { kind: 'left' }
  }
}

function exitCode(stop: Ending, terminal: Terminal): number {
  if (terminal.untilSeen || stop.kind === 'left') return 0
  if (stop.kind === 'stopped') return stop.code
  console.error(
    stop.kind === 'idle'
      ? 'barehart: every hart sleeps and nothing will wake one'
      : 'barehart: the instruction limit was reached',
  )
  return 3
}
