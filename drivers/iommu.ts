/**
 * The driver of a RISC-V IOMMU (1.0): which device reaches what of memory, and who tried more than that. A device without
 * a context reaches nothing. Translation is by guests' tables (the second stage), messages go by tables of their own.
 */
import type { DmaBuffer, Environment } from './environment.ts'
import { iommuCommands } from './iommu-commands.ts'
import { iommu, IOMMU_MODE } from '../hw/spec/devices/iommu.ts'
import { deviceContext, directoryEntry, faultRecord, MSI_BASIC, msiEntry } from '../hw/spec/layouts/iommu.ts'
import { SV39 } from '../hw/spec/layouts/pte.ts'
import { fieldOf, withField } from '../hw/spec/registers.ts'

const PAGE = 4096
const HIGH = 4
const ENTRY_BYTES = directoryEntry.size
/** Contexts in a leaf of the directory. */
const IN_A_LEAF = PAGE / deviceContext.size
/** Entries of the fault queue, and their number as fqb.LOG2SZ has it. */
const FAULTS = 128
const FAULTS_LOG2SZ = 6
const LOOKS = 1000
/** Page numbers in registers and directory entries begin at bit 10. */
const PAGE_NUMBER = 4

const VERSION_1 = 0x10
const NEEDED = withField(iommu.capabilities.fields.Sv39x4, withField(iommu.capabilities.fields.MSI_FLAT, 0, 1), 1)
const WIRED = withField(iommu.fctl.fields.WSI, 0, 1)
const FAULTS_ON = withField(iommu.fqcsr.fields.fqen, withField(iommu.fqcsr.fields.fie, 0, 1), 1)
const OVERFLOW = withField(iommu.fqcsr.fields.fqof, 0, 1)
const FAULT_PENDING = withField(iommu.ipsr.fields.fip, 0, 1)
const VALID = 1
const GUEST_MODE = SV39 << (deviceContext.iohgatp.fields.MODE.low - 32)
const GSCID_SHIFT = deviceContext.iohgatp.fields.GSCID.low - 32
const MSI_FLAT = 1 << (deviceContext.msiptp.fields.MODE.low - 32)
const MSI_PAGE = withField(msiEntry.low.fields.V, 0, 1) | (MSI_BASIC << msiEntry.low.fields.M.low)
const { TTYP, DID } = faultRecord.first.fields

const CREATED = 0
const RUNNING = 1
const FAILED = 2
const FAILURES = ['', 'no IOMMU 1.0 with Sv39x4 and MSI tables', 'the IOMMU does not answer'] as const
const UNKNOWN = 1
const SILENT = 2

export interface IommuConfig {
  /** Devices have numbers below this. */
  readonly devices: number
  /** How many MSI page tables there are. */
  readonly messageTables: number
}

/** What a request that was refused was; `kind` as its record has it (TTYP). */
export type HearFault = (device: number, cause: number, kind: number, address: number) => void

export interface IommuDevice {
  start(): void
  ready(): boolean
  failure(): string
  /**
   * From now on the device reaches what the G-stage tables at `root` say, and only that; `gscid` names them. Messages of
   * the device go by table `messages` (-1: none), if they are for a page whose number is `pattern`, bits of `mask` aside.
   */
  attach(device: number, root: number, gscid: number, messages: number, mask: number, pattern: number): boolean
  /** From now on the device reaches nothing. False if the IOMMU does not answer: the device may still reach what it did. */
  detach(device: number): boolean
  /** Pages were taken out of the tables of `gscid`: from now on they are out of reach. False as for `detach`. */
  invalidate(gscid: number): boolean
  /** Entry `index` of an MSI page table: the interrupt file at this address. Before its device is attached. */
  setMessage(table: number, index: number, page: number): void
  /** Takes up to `budget` records of refused requests; returns how many. */
  poll(budget: number): number
  /** True if refused requests were lost for want of room, since the last call. */
  overflowed(): boolean
  onFault(heard: HearFault): void
}

export function iommuDriver(env: Environment, config: IommuConfig): IommuDevice {
  const { device, dma, interrupts } = env
  const commands = iommuCommands(env)
  const root = dma.allocate(PAGE)
  const leaves: DmaBuffer[] = []
  for (let first = 0; first < config.devices; first += IN_A_LEAF) leaves.push(dma.allocate(PAGE))
  const messageTables: DmaBuffer[] = []
  for (let table = 0; table < config.messageTables; table++) messageTables.push(dma.allocate(PAGE))
  const faults = dma.allocate(FAULTS * faultRecord.size)
  const state = env.state('iommu', { phase: CREATED, failure: 0, head: 0, overflows: 0 })
  const unheard: HearFault = () => {}
  let heard = unheard

  function start(): void {
    if (state.phase !== CREATED) return
    const capabilities = device.read(iommu.capabilities)
    if (fieldOf(iommu.capabilities.fields.version, capabilities) !== VERSION_1 || (capabilities & NEEDED) !== NEEDED)
      return fail(UNKNOWN)
    device.write(iommu.fctl, WIRED)
    for (let leaf = 0; leaf < leaves.length; leaf++)
      root.write64(leaf * ENTRY_BYTES, leaves[leaf].device / PAGE_NUMBER + VALID)
    if (!commands.start() || !startFaults()) return fail(SILENT)
    dma.fence()
    // The page first: the mode is what makes the directory one.
    device.write(iommu.ddtp, root.device / PAGE_NUMBER)
    device.write(iommu.ddtp, root.device / PAGE_NUMBER + IOMMU_MODE.LVL2)
    state.phase = RUNNING
  }

  /** Their interrupt is the first wire, as that of commands, of which none is asked for. */
  function startFaults(): boolean {
    device.write(iommu.fqb, faults.device / PAGE_NUMBER + FAULTS_LOG2SZ)
    device.write(iommu.fqh, 0)
    device.write(iommu.icvec, 0)
    device.write(iommu.fqcsr, FAULTS_ON)
    for (let look = 0; look < LOOKS; look++) {
      if (fieldOf(iommu.fqcsr.fields.fqon, device.read(iommu.fqcsr)) === 1) return true
    }
    return false
  }

  function fail(why: number): void {
    state.failure = why
    state.phase = FAILED
  }

  function answered(done: boolean): boolean {
    if (!done) fail(SILENT)
    return done
  }

  function attach(
    identity: number,
    tables: number,
    gscid: number,
    messages: number,
    mask: number,
    pattern: number,
  ): boolean {
    if (state.phase !== RUNNING || identity >= config.devices) return false
    const leaf = leaves[Math.floor(identity / IN_A_LEAF)]
    const at = (identity % IN_A_LEAF) * deviceContext.size
    if ((leaf.read32(at + deviceContext.tc.at) & VALID) !== 0) return false
    leaf.write32(at + deviceContext.iohgatp.at, tables / PAGE)
    leaf.write32(at + deviceContext.iohgatp.at + HIGH, (GUEST_MODE | (gscid << GSCID_SHIFT)) >>> 0)
    leaf.write64(at + deviceContext.ta.at, 0)
    leaf.write64(at + deviceContext.fsc.at, 0)
    if (messages < 0) leaf.write64(at + deviceContext.msiptp.at, 0)
    else {
      leaf.write32(at + deviceContext.msiptp.at, messageTables[messages].device / PAGE)
      leaf.write32(at + deviceContext.msiptp.at + HIGH, MSI_FLAT)
    }
    leaf.write64(at + deviceContext.msi_addr_mask.at, mask)
    leaf.write64(at + deviceContext.msi_addr_pattern.at, pattern)
    dma.fence()
    leaf.write64(at + deviceContext.tc.at, VALID)
    return answered(commands.forgetContext(identity))
  }

  function detach(identity: number): boolean {
    if (identity >= config.devices) return true
    const at = (identity % IN_A_LEAF) * deviceContext.size
    leaves[Math.floor(identity / IN_A_LEAF)].write64(at + deviceContext.tc.at, 0)
    return answered(commands.forgetContext(identity))
  }

  function setMessage(table: number, index: number, page: number): void {
    const at = index * msiEntry.size
    messageTables[table].write64(at, page / PAGE_NUMBER + MSI_PAGE)
    messageTables[table].write64(at + msiEntry.high.at, 0)
  }

  function poll(budget: number): number {
    if (state.phase !== RUNNING) return 0
    device.write(iommu.ipsr, FAULT_PENDING)
    const tail = device.read(iommu.fqt)
    let taken = 0
    while (taken < budget && state.head !== tail) {
      const at = state.head * faultRecord.size
      const high = faults.read32(at + HIGH)
      heard(
        high >>> (DID.low - 32),
        faults.read32(at) & 0xfff,
        (high >>> (TTYP.low - 32)) & 63,
        faults.read64(at + faultRecord.iotval.at),
      )
      state.head = (state.head + 1) % FAULTS
      taken++
    }
    if (taken > 0) device.write(iommu.fqh, state.head)
    // While it is set, no record is added (IOMMU 4.2).
    if ((device.read(iommu.fqcsr) & OVERFLOW) !== 0) {
      state.overflows++
      device.write(iommu.fqcsr, FAULTS_ON | OVERFLOW)
    }
    return taken
  }

  function overflowed(): boolean {
    const lost = state.overflows !== 0
    state.overflows = 0
    return lost
  }

  function onInterrupt(): void {
    poll(FAULTS)
  }

  if (interrupts.length > 0) interrupts[0].subscribe(onInterrupt)

  return {
    start,
    ready: () => state.phase === RUNNING,
    failure: () => FAILURES[state.failure],
    attach,
    detach,
    invalidate: gscid => answered(commands.forgetGuest(gscid)),
    setMessage,
    poll,
    overflowed,
    onFault(listener) {
      heard = listener
    },
  }
}
