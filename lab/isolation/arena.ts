/**
 * Where scenarios of one topology run: its machine, booted once to where every vCPU stands ready, and put back there before
 * each run.
 */
import type { Dma } from '../../hw/bus/chip.ts'
import { type Machine, pricesFor } from '../../hw/index.ts'
import type { Checkpoint } from '../../hw/checkpoint.ts'
import { MemoryBacking } from '../../hw/devices/disk-backing.ts'
import type { NvmeController } from '../../hw/devices/nvme/nvme-controller.ts'
import { HEDELEG, HGATP, HIDELEG, MEDELEG, MIDELEG, slot } from '../../hw/hart/slots.ts'
import { MODE, VIRTUAL } from '../../hw/hart/state.ts'
import type { Program as Assembled } from '../../hw/spec/isa/assembler.ts'
import { sscratch } from '../../hw/spec/csrs/supervisor.ts'
import { PAGE_BYTES } from '../../hw/spec/address.ts'
import { frame } from '../../vmm/core/frame.ts'
import type { VirtualMachine } from '../../vmm/core/virtual-machine.ts'
import { FUNCTIONS_OF_A_CARD } from '../network.ts'
import { buildSystem, type System } from '../system.ts'
import { trapName } from '../../hw/hart/causes.ts'
import type { Sighting, Where } from './finding.ts'
import { GuestPages, NO_TABLES } from './guest-pages.ts'
import { areaOf, POOL, runtimeImage, STATE, STATE_PAGE } from './guest-runtime.ts'
import { interleavingOf } from './interleave.ts'
import { type Exit, NOBODY, type Observer } from './observer.ts'
import { diskImage } from './disk-image.ts'
import { poison } from './poison.ts'
import { saveAndRestore } from './save-and-restore.ts'
import { assembleProgram } from './program.ts'
import type { Action, Scenario, Topology } from './scenario.ts'
import { type GuestView, viewOf } from './view.ts'
import { type Wire, wire } from './wire.ts'

/** Who is in an arena: a guest, or whoever has a bare machine. */
export interface Inhabitant {
  readonly vcpus: number
  readonly record: { readonly ended: boolean; readonly crashed: boolean; readonly exitCode: number }
}

export interface Run {
  readonly exits: number
  readonly cycles: number
  /** Every program has come to its end. */
  readonly finished: boolean
  /** By guest: when its programs were over; Infinity if they were not. */
  readonly doneAt: readonly number[]
  /** An error that the VMM has thrown. */
  readonly failure: string | undefined
  readonly traceHash: string
  readonly views: readonly GuestView[]
  /** What observers have seen first. */
  readonly sighting: Sighting | undefined
}

const MIB = 2 ** 20
const RAM_BASE = 0x8000_0000
const BOOT_CYCLES = 400_000_000
/** Guests' vCPUs have settled where they run, and harts that have nothing to do are asleep. */
const SETTLING = 200_000
/** Driver domains have found their devices, and serve. */
const SETTLING_DOMAINS = 130_000_000
/** What devices have begun is over; and how long neighbours are waited for. */
const AFTERWARDS = 400_000
const PATIENCE = 300_000
const NEVER_ENDS: Inhabitant['record'] = { ended: false, crashed: false, exitCode: 0 }
const SSCRATCH = slot(sscratch.name)
const MODE_WORD = MODE >> 2
/** Frames are told apart by the vCPU's number in the machine. */
const CSR_VMID_SHIFT = 12
const VMIDS = 0x3fff
const KEPT = 40

export class Arena {
  readonly topology: Topology
  readonly system: System
  readonly machine: Machine
  readonly image: Assembled[]
  readonly pages: readonly GuestPages[]
  /** The same of guests and of those that drive devices for them, which come behind. */
  readonly everyone: readonly GuestPages[]
  /** The machine's disks. */
  readonly disks: readonly NvmeController[]
  readonly guests: readonly Inhabitant[]
  /** Of the run under way. */
  exits = 0
  readonly began: number
  lastExit: Exit = { hart: 0, from: 0, code: 0, guest: NOBODY, vcpu: 0 }
  readonly #checkpoint: Checkpoint
  readonly #words: Int32Array
  #observers: readonly Observer[] = []
  /** Of frames: guest and vCPU. */
  readonly #frames = new Map<number, { readonly guest: number; readonly vcpu: number }>()
  /** By VMID: the guest. */
  readonly #named = new Map<number, number>()
  readonly #printed: number[] = []
  readonly #hasDevices: boolean
  #doneAt: number[] = []
  readonly #wires: readonly Wire[]
  /** The device that reaches for memory just now, by its requester number. */
  #master = NOBODY

  constructor(topology: Topology) {
    this.topology = topology
    this.#wires = wiresOf(topology)
    const disks: NvmeController[] = []
    this.disks = disks
    const images = topology.guests.map(({ vcpus }) => runtimeImage(vcpus))
    this.image = images
    this.#hasDevices = topology.guests.some(({ disk, network }) => disk || network)
    this.system = buildSystem({
      configuration: topology.vmm,
      harts: topology.harts,
      ramBytes: topology.ramMiB * MIB,
      ...(topology.policy && { hostPolicy: topology.policy }),
      ...(topology.placements && { placements: topology.placements }),
      disks: disksOf(topology),
      ...((topology.iommu === true || needsIommu(topology)) && { iommu: true }),
      ...(topology.aia && { aia: topology.aia }),
      ...(topology.timeProtection && { timeProtection: topology.timeProtection }),
      ...(topology.caches === true && { prices: pricesFor({ model: 'cached' }) }),
      nics: this.#wires.map(({ nic }) => nic),
      plugged: disk => void disks.push(disk),
      masters: (requester, memory) => this.#watched(requester, memory),
      guests: topology.guests.map(({ memoryMiB, network, ...guest }, index) => ({
        ...guest,
        label: `guest${index}`,
        kernel: images[index].bytes,
        memoryBytes: memoryMiB * MIB,
        bootargs: '',
        ...(network && { network: { mac: [0x02, 0x62, 0x68, 0, 0, index + 1], vlan: network.vlan } }),
      })),
      output: bytes => void this.#printed.push(...bytes),
    })
    const { machine } = this.system
    this.machine = machine
    this.#words = machine.memory.words
    if (topology.poison !== undefined) poison(machine.memory, RAM_BASE, topology.ramMiB * MIB, topology.poison)
    this.guests =
      topology.vmm === 'bare'
        ? topology.guests.map(({ vcpus }) => ({ vcpus, record: NEVER_ENDS }))
        : this.system.guests.map(({ vcpus, record }) => ({ vcpus: vcpus.length, record }))
    this.#boot()
    this.pages = topology.guests.map(
      ({ memoryMiB }, index) =>
        new GuestPages(machine.memory, this.#rootOf(this.system.guests[index]), memoryMiB * MIB),
    )
    this.everyone = [
      ...this.pages,
      ...this.system.domains.map(vm => new GuestPages(machine.memory, this.#rootOf(vm), vm.ram.bytes)),
    ]
    for (const vm of [...this.system.guests, ...this.system.domains]) {
      this.#named.set(this.#vmidOf(vm), vm.index)
      for (const vcpu of vm.vcpus) this.#frames.set(vcpu.frame, { guest: vm.index, vcpu: vcpu.index })
    }
    this.#listen()
    this.#checkpoint = machine.checkpoint()
    for (const pages of this.pages) pages.remember()
    this.began = machine.now()
  }

  /** Where a guest's tables are: its first vCPU's frame says so. */
  #rootOf(vm: VirtualMachine | undefined): number {
    if (!vm) return NO_TABLES
    const at = this.machine.memory.toHost(vm.vcpus[0].frame + frame.hgatp.at) >> 2
    return ((this.#words[at] >>> 0) + (this.#words[at + 1] & 0xfff) * 2 ** 32) * PAGE_BYTES
  }

  /** The native VMM's guests have one for ever; the host kernel's got theirs when they first ran, and their vCPUs' frames say so. */
  #vmidOf({ vmid, vcpus }: VirtualMachine): number {
    if (this.topology.vmm === 'native') return vmid
    const at = this.machine.memory.toHost(vcpus[0].frame + frame.hgatp.at) >> 2
    return (this.#words[at + 1] >>> CSR_VMID_SHIFT) & VMIDS
  }

  /** Whose a VMID is: a guest, or nobody. */
  guestNamed(vmid: number): number {
    return this.#named.get(vmid) ?? NOBODY
  }

  /** What was printed on the serial line during the run. */
  printed(): string {
    return String.fromCharCode(...this.#printed)
  }

  /** The frames that left the machine during the run. */
  frames(): readonly Uint8Array[] {
    return this.#wires.flatMap(({ left }) => left)
  }

  /** Memory as a device reaches it, so that it is known who does. */
  #watched(requester: number, memory: Dma): Dma {
    const during = (transfer: () => boolean): boolean => {
      const before = this.#master
      this.#master = requester
      const done = transfer()
      this.#master = before
      return done
    }
    const tell = (address: number, data: Uint8Array, write: boolean) => {
      for (const observer of this.#observers) observer.transferred?.(requester, address, data, write)
    }
    return {
      read: (address, into) => {
        const done = during(() => memory.read(address, into))
        if (done) tell(address, into, false)
        return done
      },
      write: (address, from) => {
        const done = during(() => memory.write(address, from))
        if (done) tell(address, from, true)
        return done
      },
      waited: () => memory.waited?.() ?? 0,
    }
  }

  /** Runs a scenario of this topology, from the checkpoint. */
  run(scenario: Scenario, observers: readonly Observer[] = []): Run {
    const { machine } = this
    this.#observers = []
    machine.rollback(this.#checkpoint)
    this.#patch(scenario)
    this.#printed.length = 0
    for (const each of this.#wires) each.left.length = 0
    this.exits = 0
    this.#doneAt = this.guests.map(() => Infinity)
    this.lastExit = { hart: 0, from: 0, code: 0, guest: NOBODY, vcpu: 0 }
    for (const observer of observers) observer.begin(this, scenario)
    this.#observers = observers
    for (const hart of machine.harts) hart.interleave = undefined
    if (scenario.interleaving) machine.interleave(interleavingOf(scenario.interleaving))
    let failure: string | undefined
    let finished = false
    try {
      finished = this.#go(scenario)
      for (const observer of observers) observer.end?.()
    } catch (error) {
      failure = (error as Error).message
    }
    this.#observers = []
    counted.exits += this.exits
    counted.runs++
    return {
      exits: this.exits,
      cycles: machine.now() - this.began,
      finished,
      failure,
      traceHash: failure === undefined ? machine.traceHash() : '',
      doneAt: this.#doneAt,
      views: failure === undefined ? this.guests.map((_, index) => viewOf(this, index)) : [],
      sighting: observers.find(({ sighting }) => sighting)?.sighting,
    }
  }

  /** Where the run is. */
  where(): Where {
    const { hart, code, guest, vcpu } = this.lastExit
    const name = guest === NOBODY ? 'none yet' : `${trapName(Math.abs(code), code < 0)} of guest ${guest}, vCPU ${vcpu}`
    return { cycle: this.machine.now() - this.began, hart, exit: name }
  }

  #boot(): void {
    const { machine } = this
    const awaited = this.guests.reduce((sum, { vcpus }) => sum + vcpus, 0)
    let ready = 0
    while (ready < awaited) {
      const stop = machine.run({ marks: true, untilCycle: BOOT_CYCLES })
      if (stop.kind !== 'mark') throw new Error(`the guests do not come up: ${JSON.stringify(stop)}`)
      ready++
    }
    machine.run({ untilCycle: machine.now() + (this.system.domains.length > 0 ? SETTLING_DOMAINS : SETTLING) })
  }

  #patch({ guests }: Scenario): void {
    const { memory } = this.machine
    for (const [guest, { programs }] of guests.entries()) {
      const vcpus = this.topology.guests[guest].vcpus
      for (let vcpu = 0; vcpu < vcpus; vcpu++) {
        const { code, pool } = assembleProgram(programs[vcpu] ?? [], vcpu, this.image[guest].symbols)
        const put = (words: Int32Array, address: number) => {
          const pages = this.pages[guest]
          for (let done = 0; done < words.length; done += 1024) {
            const host = pages.hostOf(address + done * 4)
            const part = words.subarray(done, done + 1024)
            memory.words.set(part, host >> 2)
            memory.written(host, part.length * 4)
          }
        }
        put(code, areaOf(vcpu))
        put(pool, areaOf(vcpu) + POOL)
      }
    }
  }

  /** Runs until all programs are over; until guest 0's is, if the others take long; or until time is. True: guest 0's is over. */
  #go({ actions, cycles, everyone }: Scenario): boolean {
    const { machine, began } = this
    const due = [...actions].sort((a, b) => a.at - b.at)
    const end = began + cycles
    const patience = everyone ? end : began + PATIENCE
    while (machine.now() < end) {
      const next = Math.min(end, due[0] ? began + due[0].at : end, machine.now() < patience ? patience : end)
      const stop = machine.run({ marks: true, untilCycle: next })
      if (stop.kind === 'stopped') break
      if (due[0] && (machine.now() >= began + due[0].at || stop.kind === 'idle')) this.#act(due.shift()!)
      else if (stop.kind === 'idle') break
      if ((this.#isDone() || (machine.now() >= patience && this.#isOver(0))) && due.length === 0) break
    }
    if (this.#hasDevices) machine.run({ untilCycle: Math.min(end, machine.now() + AFTERWARDS) })
    return everyone ? this.#isDone() : this.#isOver(0)
  }

  /** Whoever restores a machine writes to all of its memory: nobody need look. */
  #act(action: Action): void {
    const observers = this.#observers
    this.#observers = []
    if (action.do === 'save-and-restore') saveAndRestore(this.machine, this.#checkpoint)
    else if (action.do === 'frame') this.#receive(Uint8Array.from(action.bytes))
    else this.system.board.receive(Uint8Array.from(action.text, character => character.charCodeAt(0)))
    this.#observers = observers
  }

  #receive(bytes: Uint8Array): void {
    for (const each of this.#wires) each.send(bytes)
  }

  /** True if every guest has come to its programs' end, or has ended. Notes when. */
  #isDone(): boolean {
    let all = true
    for (let guest = 0; guest < this.guests.length; guest++) {
      if (!this.#isOver(guest)) all = false
      else if (this.#doneAt[guest] === Infinity) this.#doneAt[guest] = this.machine.now() - this.began
    }
    return all
  }

  #isOver(guest: number): boolean {
    const { record, vcpus } = this.guests[guest]
    if (record.ended) return true
    for (let vcpu = 0; vcpu < vcpus; vcpu++) if (!this.isDone(guest, vcpu)) return false
    return true
  }

  /** False, too, if its guest has ended and others have its memory. */
  isDone(guest: number, vcpu: number): boolean {
    const host = this.pages[guest].find(areaOf(vcpu) + STATE_PAGE)
    return host >= 0 && this.#words[(host + STATE.done) >> 2] === 1
  }

  #listen(): void {
    const { machine } = this
    const words = this.#words
    machine.onTrap((hart, from, code) => {
      if ((from & VIRTUAL) === 0 || this.#staysInGuest(code)) return
      this.exits++
      counted.causes.set(code, (counted.causes.get(code) ?? 0) + 1)
      const { guest, vcpu } = this.#who()
      const exit = { hart, from, code, guest, vcpu }
      this.lastExit = exit
      for (const observer of this.#observers) if (this.#concerns(observer, guest)) observer.left?.(exit)
    })
    machine.onReturn((hart, from) => {
      if ((words[MODE_WORD] & VIRTUAL) === 0 || (from & VIRTUAL) !== 0) return
      const { guest, vcpu } = this.#who()
      for (const observer of this.#observers) if (this.#concerns(observer, guest)) observer.resumed?.(hart, guest, vcpu)
    })
    machine.bus.onAccess(({ base }, offset, _bytes, _value, write) => {
      if (write) for (const observer of this.#observers) observer.accessed?.(base + offset)
    })
    const { onDma } = machine.memory
    machine.memory.onDma = (host, bytes, write) => {
      onDma?.(host, bytes, write)
      if (this.#master === NOBODY) return
      for (const observer of this.#observers) observer.mastered?.(this.#master, host, bytes, write)
    }
    machine.memory.onWritten((host, bytes) => {
      for (const observer of this.#observers) observer.written?.(host, bytes)
    })
    for (const hart of machine.harts) {
      hart.mmu.filled = (tlb, at) => {
        for (const observer of this.#observers) observer.translated?.(hart.id, tlb, at)
      }
    }
  }

  #concerns({ domains = false }: Observer, guest: number): boolean {
    return domains || guest < this.guests.length
  }

  /** Whether a trap in a guest is the guest's own: told before it is taken. */
  #staysInGuest(code: number): boolean {
    const words = this.#words
    const bit = 1 << Math.abs(code)
    return code < 0 ? (words[MIDELEG] & words[HIDELEG] & bit) !== 0 : (words[MEDELEG] & words[HEDELEG] & bit) !== 0
  }

  /** Whose the hart in the window is: by its VMID, and its frame. */
  #who(): { readonly guest: number; readonly vcpu: number } {
    const words = this.#words
    const guest = this.guestNamed((words[HGATP + 1] >>> CSR_VMID_SHIFT) & VMIDS)
    const known = this.#frames.get(words[SSCRATCH] >>> 0)
    return known?.guest === guest ? known : { guest, vcpu: 0 }
  }
}

/** Exits that were looked at, by cause too, and runs, since the process began. */
export const counted = { exits: 0, runs: 0, causes: new Map<number, number>() }

const OWN_DRIVERS: readonly unknown[] = ['guest', 'function', 'domain']

/** True if guests drive devices of the machine's. */
function needsIommu({ placements }: Topology): boolean {
  return OWN_DRIVERS.includes(placements?.disk?.at) || OWN_DRIVERS.includes(placements?.network?.at)
}

/** True if guests drive the machine's disks themselves. */
function isPassed({ placements }: Topology): boolean {
  return placements?.disk?.at === 'guest'
}

/** One card for all guests that have one, with functions for them if they drive those; or for each its own. */
function wiresOf({ guests, placements }: Topology): readonly Wire[] {
  const count = guests.filter(({ network }) => network).length
  if (placements?.network?.at === 'guest') return Array.from({ length: count }, (_, index) => wire(index))
  const functions = placements?.network?.at === 'function' ? FUNCTIONS_OF_A_CARD : 0
  return count > 0 ? [wire(0, functions)] : []
}

/** One for all guests that have a disk, or for each its own if they drive them themselves. */
function disksOf(topology: Topology): readonly MemoryBacking[] {
  const ends = topology.guests.flatMap(({ disk }) => (disk ? [disk.first + disk.sectors] : []))
  const disks = isPassed(topology) ? ends : ends.length > 0 ? [Math.max(...ends)] : []
  return disks.map(sectors => new MemoryBacking(sectors, diskImage(sectors)))
}

const arenas = new Map<string, Arena>()

/** The arena of a topology, made when it is first wanted. The last few are kept. */
export function arenaOf(topology: Topology): Arena {
  const key = JSON.stringify(topology)
  let arena = arenas.get(key)
  if (arena) arenas.delete(key)
  else arena = new Arena(topology)
  arenas.set(key, arena)
  if (arenas.size > KEPT) arenas.delete(arenas.keys().next().value!)
  return arena
}

/** Forgets them all: a machine takes memory. */
export function dropArenas(): void {
  arenas.clear()
}
