/**
 * The switch between worlds, for the form of type 2 in which a hypervisor's world replaces the host's as a whole: every
 * register of the host's is put aside, its address space and its trap vector too, and the monitor's are loaded; and back.
 * A page a vCPU, mapped in both worlds, holds both and what they tell each other.
 *
 *   host: to_monitor, a0 = page ──▶ monitor_resumed …… monitor: to_host, a0 = page ──▶ interrupts that wait ──▶ crossed
 */
import { layout } from '../../hw/spec/layout.ts'
import { A0, FLOATS, FS, GENERAL, worldSwitch } from '../core/world-switch.ts'

/** All that a hypervisor or a host sets of the hart, but for its timer, which stays the host's, and what the guest has (frame.ts). */
export const WORLD_CSRS = [
  'sstatus',
  'sie',
  'stvec',
  'sscratch',
  'sepc',
  'scause',
  'stval',
  'satp',
  'scounteren',
  'senvcfg',
  'hstatus',
  'hedeleg',
  'hideleg',
  'hcounteren',
  'henvcfg',
] as const
export type WorldCsr = (typeof WORLD_CSRS)[number]

/** Of either world: x0 to x31, then the CSRs in their order. */
export const HOST_WORLD = 0x000
export const MONITOR_WORLD = 0x200
const CSRS = 0x100
/** Of the host: a guest has them meanwhile. */
const HOST_FLOATS = 0x400
const HOST_FCSR = 0x500

/** What the worlds tell each other: why the monitor has left; a device access; pages; console bytes. */
export const crossing = layout(0x1000, 'our own', {
  reason: { at: 0x600, bytes: 4 },
  /** vCPUs of the guest that have to look at what was raised, a bit each. */
  kicks: { at: 0x604, bytes: 4 },
  low: { at: 0x608, bytes: 4 },
  high: { at: 0x60c, bytes: 4 },
  address: { at: 0x610, bytes: 8 },
  /** Answers: the page that the guest is given, and a byte that has come for its console, plus one. */
  page: { at: 0x618, bytes: 8 },
  input: { at: 0x620, bytes: 4 },
  outputs: { at: 0x624, bytes: 4 },
  output: { at: 0x800, bytes: 1 },
})

/** Why the monitor cannot go on by itself. */
export const NEEDS_NOTHING = 0
export const NEEDS_DEVICE = 1
export const NEEDS_PAGE = 2
export const NEEDS_CONSOLE = 3
export const NEEDS_WAIT = 4
export const NEEDS_END = 5
/** An interrupt of the machine's, or vCPUs to be kicked. */
export const NEEDS_HOST = 6

export function worldCsrAt(world: number, csr: WorldCsr): number {
  return world + CSRS + WORLD_CSRS.indexOf(csr) * 8
}

const SIE = 2
const lines = (rows: readonly string[]) => rows.join('\n')

/** Registers and CSRs of the world that goes. */
function put(world: number): string {
  return lines([
    ...GENERAL.map(register => `    sd x${register}, ${world + register * 8}(a0)`),
    ...WORLD_CSRS.map(csr => `    csrr t0, ${csr}\n    sd t0, ${worldCsrAt(world, csr)}(a0)`),
  ])
}

function csrsOf(world: number): string {
  return lines(WORLD_CSRS.map(csr => `    ld t0, ${worldCsrAt(world, csr)}(a0)\n    csrw ${csr}, t0`))
}

function registersOf(world: number): string {
  return lines(
    GENERAL.filter(register => register !== A0).map(register => `    ld x${register}, ${world + register * 8}(a0)`),
  )
}

/** Assembly text: the crossing, and the monitor's own world switch with the guest, its labels beginning with monitor_. */
export function crossingCode(): string {
  return `
to_monitor:
${put(HOST_WORLD)}
    li t1, ${FS}
    csrs sstatus, t1
${lines(FLOATS.map(register => `    fsd f${register}, ${HOST_FLOATS + register * 8}(a0)`))}
    csrr t0, fcsr
    sd t0, ${HOST_FCSR}(a0)
${csrsOf(MONITOR_WORLD)}
${registersOf(MONITOR_WORLD)}
monitor_resumed:
    enter monitor_resumed

to_host:
${put(MONITOR_WORLD)}
${csrsOf(HOST_WORLD)}
    li t1, ${FS}
    csrs sstatus, t1
${lines(FLOATS.map(register => `    fld f${register}, ${HOST_FLOATS + register * 8}(a0)`))}
    ld t0, ${HOST_FCSR}(a0)
    csrw fcsr, t0
    csrc sstatus, t1
${registersOf(HOST_WORLD)}
    # The interrupt that has ended the guest's turn is raised again, in the host.
    csrsi sstatus, ${SIE}
    csrci sstatus, ${SIE}
crossed:
    enter crossed

monitor_saved:
    enter monitor_saved
monitor_loaded:
    enter monitor_loaded
${worldSwitch('monitor_')}
`
}
