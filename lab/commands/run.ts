/** `barehart run FILE.json`: builds the described machine, boots its VMM and guests, and joins their consoles to the terminal. */
import { setImmediate } from 'node:timers/promises'
import chalk from 'chalk'
import { Command } from 'commander'
import { WORKLOADS } from '../../guests/index.ts'
import { MemoryBacking, SECTOR_BYTES, type Backing } from '../../hw/devices/disk-backing.ts'
import type { StopReason } from '../../hw/index.ts'
import { type Description, type GuestDescription, readDescription } from '../description/description.ts'
import type { DiskDescription } from '../description/disks.ts'
import { formatSize } from '../description/size.ts'
import { fileDisk, readImage } from '../files.ts'
import { guestBytesNeeded, guestImage } from '../guest-image.ts'
import { cards as cardsOnStations, FUNCTIONS_OF_A_CARD } from '../network.ts'
import { refusedRequests } from '../refused-requests.ts'
import { buildSystem, type System, type SystemGuest } from '../system.ts'
import { type Exchange, Terminal } from '../terminal.ts'
import { UserError } from '../user-error.ts'
import { exchange } from './boot.ts'
import { crashReport, endings, type Ending } from '../endings.ts'

interface RunOptions {
  readonly until?: string
  readonly send: readonly Exchange[]
  readonly json?: boolean
}

/** Cycles between two looks at keyboard and script. */
const TURN = 2_000_000

export function runCommand(): Command {
  return new Command('run')
    .description(
      'run a described machine: VMM, guests, disks, network; consoles in the terminal (Ctrl-A: next guest, Ctrl-]: leave)',
    )
    .argument('<file>', 'the machine description, JSON; barehart schema prints its schema')
    .option('--until <text>', 'end, with success, once this has been printed')
    .option(
      '--send <exchange>',
      'SEEN=>TYPED: type TYPED once SEEN has been printed; may be repeated, in order',
      exchange,
      [],
    )
    .option(
      '--json',
      'at the end print how each guest ended, as JSON, to standard output; consoles go to standard error',
    )
    .action(run)
}

function guestOf(guest: GuestDescription, bare: boolean): SystemGuest {
  const workload = WORKLOADS.find(({ name }) => name === guest.kernel)
  const program = workload?.image()
  const software = workload?.software?.()
  const { name, append, initrd, disk, network, ...rest } = guest
  const initrdBytes = initrd === undefined ? undefined : readImage(initrd, `guest ${name}: initrd`)
  const kernel = program?.bytes ?? kernelFile(guest)
  return {
    ...rest,
    label: name,
    bootargs: append,
    // The bare machine loads the file as it is; for a VMM it is laid out.
    kernel: bare ? kernel : laidOut(kernel, guest, initrdBytes?.length ?? 0),
    ...(initrdBytes && { initrd: initrdBytes }),
    ...(disk && { disk }),
    ...(network && { network }),
    ...(software && program && { scripted: { software, program } }),
  }
}

function kernelFile({ name, kernel }: GuestDescription): Uint8Array {
  const names = WORKLOADS.map(workload => workload.name).join(', ')
  return readImage(kernel, `guest ${name}: kernel`, `give a file that can be read, or a workload: ${names}`)
}

function laidOut(file: Uint8Array, { name, kernel, memoryBytes }: GuestDescription, initrdBytes: number): Uint8Array {
  const image = guestImage(file, `guest ${name}: kernel ${kernel}`)
  const needed = guestBytesNeeded(image.memoryBytes, initrdBytes)
  if (needed > memoryBytes) {
    throw new UserError(
      `guest ${name}: its images and device tree need ${formatSize(needed)}, but its memory is ${formatSize(memoryBytes)}; give it more memory`,
    )
  }
  return image.bytes
}

function diskOf(disk: DiskDescription): Backing {
  return 'file' in disk ? fileDisk(disk.file) : new MemoryBacking(Math.floor(disk.bytes / SECTOR_BYTES))
}

function systemOf(file: string, description: Description, output: (bytes: Uint8Array) => void): System {
  const { vmm, harts, ramBytes, seed, prices, cards, disks, host, aia, guestFiles, iommu, placement, timeProtection } =
    description
  const guests = description.guests.map(guest => guestOf(guest, vmm === 'none'))
  try {
    return buildSystem({
      configuration: vmm === 'none' ? 'bare' : vmm,
      harts,
      ramBytes,
      seed,
      prices,
      guests,
      output,
      ...(vmm === 'hosted' && { hostPolicy: host }),
      ...(aia && { aia, guestFiles }),
      iommu,
      ...(placement && { placements: placement }),
      ...(timeProtection && { timeProtection }),
      disks: disks.map(diskOf),
      nics: cardsOnStations(cards, placement?.network?.at === 'function' ? FUNCTIONS_OF_A_CARD : 0),
    })
  } catch (error) {
    if (error instanceof UserError) throw error
    const { message } = error as Error
    throw new UserError(`${file}: ${message}${/but RAM is/.test(message) ? '; raise machine.ram' : ''}`)
  }
}

async function run(file: string, options: RunOptions): Promise<void> {
  const description = await readDescription(file)
  const screen = options.json ? process.stderr : process.stdout
  const terminal: Terminal = new Terminal(
    bytes => system.board.receive(bytes),
    bytes => void screen.write(bytes),
    options.send,
    options.until,
  )
  const system = systemOf(file, description, bytes => terminal.print(bytes))
  const release = terminal.takeKeyboard()
  const stop = await untilEnd(system, terminal)
  release()
  const ends = endings(system)
  const refused = refusedRequests(system)
  if (refused !== '') console.error(chalk.yellow(refused))
  if (options.json)
    console.log(
      JSON.stringify({
        cycles: system.machine.now(),
        traceHash: system.machine.traceHash(),
        guests: ends,
        ...(system.dmaFaults && { refusedRequests: system.dmaFaults.record }),
      }),
    )
  process.exitCode = exitCode(stop, ends, terminal)
}

async function untilEnd(system: System, terminal: Terminal): Promise<StopReason | undefined> {
  const reported = new Set<string>()
  for (;;) {
    const { machine } = system
    const stop = machine.run({ untilCycle: machine.now() + TURN, until: () => terminal.untilSeen })
    for (const ending of endings(system)) {
      if (!ending.crashed || reported.has(ending.guest)) continue
      reported.add(ending.guest)
      console.error(chalk.red(`\n${crashReport(system, ending)}`))
    }
    if (terminal.untilSeen || terminal.left || stop.kind === 'stopped') return stop
    if (system.guests.length > 0 && endings(system).every(({ ended }) => ended)) return undefined
    if (!terminal.answer() && stop.kind === 'idle' && process.stdin.readableEnded) return stop
    await setImmediate()
  }
}

function exitCode(stop: StopReason | undefined, ends: readonly Ending[], terminal: Terminal): number {
  if (terminal.untilSeen || terminal.left) return 0
  if (stop?.kind === 'stopped') return stop.code
  if (ends.some(({ crashed }) => crashed)) return 1
  return Math.max(0, ...ends.map(({ exitCode: code }) => code))
}
