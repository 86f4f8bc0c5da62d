/**
 * Board `virt`: QEMU's address map (drawn in ./virt-map.ts) around our chips. It finds its own device tree, firmware and
 * payload their places in RAM, as that machine does:
 *
 *   firmware │ 0x8020_0000 payload … │ … initrd │ device tree │ end of RAM (or 3 GiB, if RAM reaches further)
 */
import type { Board, TimeSource, Wiring } from '../board.ts'
import type { Chip, Dma, Line, Saved } from '../bus/chip.ts'
import { memoryDma } from '../bus/memory-dma.ts'
import { PcieHost } from '../bus/pcie-host.ts'
import { Iommu } from '../devices/iommu/iommu.ts'
import { AplicDomain, type AplicTarget } from '../devices/aplic.ts'
import { Clint } from '../devices/clint.ts'
import { Imsic } from '../devices/imsic.ts'
import type { Backing } from '../devices/disk-backing.ts'
import { attachHtif } from '../devices/htif.ts'
import { NicController } from '../devices/nic/nic-controller.ts'
import { NvmeController } from '../devices/nvme/nvme-controller.ts'
import { Plic } from '../devices/plic.ts'
import { GoldfishRtc } from '../devices/rtc.ts'
import { TestFinisher } from '../devices/test-finisher.ts'
import { Uart } from '../devices/uart.ts'
import { EmptyVirtioSlot } from '../devices/virtio-mmio-slot.ts'
import { MACHINE_FILE } from '../hart/interrupt-files.ts'
import type { Memory } from '../memory/memory.ts'
import { PAGE_BYTES } from '../spec/address.ts'
import { assemble } from '../spec/isa/assembler.ts'
import type { FdtNode } from '../spec/layouts/fdt.ts'
import type { DrivePrices, NicPrices } from '../time/prices-devices.ts'
import { filePages, virtDeviceTree } from './device-tree.ts'
import { FIRMWARE_BYTES, firmwareSource } from './firmware/firmware.ts'
import { type BootImage, loadImage, parseImage } from './load.ts'
import { resetRom } from './reset-rom.ts'
import { IOMMU_WIRES, PAYLOAD_AT, VIRTIO_SLOTS, VIRT_MAP, VIRT_SOURCES } from './virt-map.ts'

/** A network card to be plugged in. */
export interface VirtNic {
  /** Six bytes; QEMU's 52:54:00:12:34:56 and up unless given. */
  readonly mac?: readonly number[]
  /** Called once the card is in its slot: whoever has the other end of the cable attaches it. */
  connect?(nic: NicController, wiring: Wiring): void
}

export type AiaChoice = 'aplic' | 'aplic-imsic'

/** Bytes at a physical address. */
export interface BoardModule {
  readonly address: number
  readonly bytes: Uint8Array
}

export interface VirtOptions {
  /** 1 unless given. */
  readonly harts?: number
  /** 128 MiB unless given. */
  readonly ramBytes?: number
  /** What runs in M-mode: our SBI firmware unless given; `none` starts the kernel there. */
  readonly bios?: 'default' | 'none' | Uint8Array
  /** The payload: ELF, Linux image or raw. */
  readonly kernel?: Uint8Array
  readonly initrd?: Uint8Array
  /** The kernel's command line. */
  readonly append?: string
  /** More bytes in RAM: a VMM's guests' images. They lie above the payload. */
  readonly modules?: readonly BoardModule[]
  /** Nodes below /chosen of the device tree: what a VMM is to know of its guests. */
  readonly chosen?: readonly FdtNode[]
  readonly disks?: readonly Backing[]
  /** Sectors of each disk's namespaces: one of all unless given. */
  readonly namespaces?: readonly (readonly number[] | undefined)[]
  readonly nics?: readonly VirtNic[]
  /** The Advanced Interrupt Architecture in place of the PLIC: an APLIC alone, or with an IMSIC a hart, which takes messages. */
  readonly aia?: AiaChoice
  /** Guest interrupt files of each IMSIC: {@link GUEST_FILES} unless given. */
  readonly guestFiles?: number
  /** An IOMMU stands between PCIe devices and memory. */
  readonly iommu?: boolean
  /** How long disks and network cards take: as the controllers' defaults unless given. */
  readonly devicePrices?: { readonly drive: DrivePrices; readonly card: NicPrices }
  /** What the UART sends. */
  readonly output?: (bytes: Uint8Array) => void
  /** Seconds since 1970 at power-on: 2025-01-01 unless given. */
  readonly time?: number
  /** Decides the random numbers that the device tree hands out. */
  readonly seed?: number
  /** Cycles that mtime has counted before power-on: shifts its ticks, and all that follows them, against the harts' clock. 0 unless given. */
  readonly timePhase?: number
  /** Cycles in a second: 1 GHz unless given. A multiple of {@link TIMEBASE}. */
  readonly frequency?: number
}

export interface VirtBoard extends Board {
  /** Bytes arrive at the UART. Only after `wire`. */
  receive(bytes: Uint8Array): void
  /** The device tree that the machine's software is given. Only after `wire`. */
  deviceTree(): Uint8Array
  /** Where images lie, for debuggers and tests: symbols of the kernel's or the bios's ELF. */
  readonly symbols: ReadonlyMap<string, bigint>
}

/** As many as QEMU's board can have. */
export const GUEST_FILES = 7
/** Counts of mtime in a second. */
export const TIMEBASE = 10_000_000
const DEFAULT_RAM = 128 * 2 ** 20
const DEFAULT_FREQUENCY = 1_000_000_000
const DEFAULT_TIME = 1_735_689_600
const FIRST_MAC = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56]
const LARGE_PAGE = 2 ** 21
/** Device trees are kept below this address, where every operating system maps them. */
const TREE_CEILING = 0xc000_0000
/** Beside RV64GC and H, in the order of the ISA string. */
const EXTENSIONS = [
  'zicbom',
  'zicbop',
  'zicboz',
  'zicntr',
  'zicond',
  'zicsr',
  'zifencei',
  'zihintpause',
  'zihpm',
  'zba',
  'zbb',
  'zbs',
  'sstc',
  'svade',
  'svinval',
  'svnapot',
  'svpbmt',
]

/** Describes a board; the machine that is built on it wires it. Throws one line if an image cannot run on it. */
export function virt(options: VirtOptions = {}): VirtBoard {
  const { harts = 1, ramBytes = DEFAULT_RAM, frequency = DEFAULT_FREQUENCY } = options
  if (ramBytes % PAGE_BYTES !== 0 || ramBytes < LARGE_PAGE * 2) {
    throw new RangeError(`RAM of ${ramBytes} bytes: give whole pages, ${LARGE_PAGE * 2} bytes or more`)
  }
  if (frequency % TIMEBASE !== 0)
    throw new RangeError(`a frequency of ${frequency} Hz is not a multiple of ${TIMEBASE} Hz`)
  const boot = bootImages(options, harts)
  const htif = [boot.kernel, boot.bios].find(image => image?.symbols.has('tohost'))
  let uart: Uart | undefined
  let tree: Uint8Array = new Uint8Array()

  return {
    name: 'virt',
    harts,
    regions: [
      { base: VIRT_MAP.rom.base, bytes: VIRT_MAP.rom.bytes, writable: false },
      { base: VIRT_MAP.ram.base, bytes: ramBytes, writable: true },
    ],
    frequency,
    cyclesPerTick: frequency / TIMEBASE,
    resetVector: VIRT_MAP.rom.base,
    symbols: new Map([boot.bios, boot.kernel].flatMap(image => [...(image?.symbols ?? [])])),
    receive(bytes) {
      if (!uart) throw new Error('the board has no machine yet: build it first')
      uart.receive(bytes)
    },
    deviceTree: () => tree,
    wire(wiring) {
      tree = load(wiring.memory, boot, options, harts, ramBytes)
      const wired = wireChips(wiring, options)
      uart = wired.uart
      if (htif) {
        attachHtif(wiring.memory, {
          tohost: Number(htif.symbols.get('tohost')),
          fromhost: Number(htif.symbols.get('fromhost') ?? 0n),
          finished: ({ how, code }) => wiring.stop(how, code),
          output: options.output ?? (() => {}),
        })
      }
      return wired.time
    },
  }
}

interface BootImages {
  readonly bios: BootImage | undefined
  readonly kernel: BootImage | undefined
}

function bootImages({ bios = 'default', kernel, aia }: VirtOptions, harts: number): BootImages {
  const { base } = VIRT_MAP.ram
  const parse = (bytes: Uint8Array, name: string, at: number): BootImage => parseImage(bytes, name, base, at)
  if (bios === 'none') return { bios: undefined, kernel: kernel && parse(kernel, 'kernel', base) }
  const aplic = aia && { base: VIRT_MAP.aplicMachine.base, sources: VIRT_SOURCES.highest }
  const firmware = bios === 'default' ? assemble(firmwareSource(harts, aplic), { origin: base }).bytes : bios
  return { bios: parse(firmware, 'bios', base), kernel: kernel && parse(kernel, 'kernel', PAYLOAD_AT) }
}

/** Puts everything into RAM, and the way to it into the ROM. */
function load(
  memory: Memory,
  { bios, kernel }: BootImages,
  options: VirtOptions,
  harts: number,
  ramBytes: number,
): Uint8Array {
  const { base } = VIRT_MAP.ram
  if (bios) loadImage(memory, bios, 'bios')
  if (kernel) loadImage(memory, kernel, 'kernel')
  if (
    bios &&
    kernel &&
    kernel.segments.some(segment => segment.address < bios.end && segment.address + segment.memoryBytes > base)
  ) {
    throw new Error(
      `kernel: begins at 0x${kernel.entry.toString(16)}, inside the bios, which ends at 0x${bios.end.toString(16)}`,
    )
  }
  const used = Math.max(
    bios?.end ?? base,
    kernel?.end ?? base,
    ...(options.modules ?? []).map(({ address, bytes }) => address + bytes.length),
  )
  for (const { address, bytes } of options.modules ?? []) memory.write(address, bytes)
  const tree = (initrd?: { start: number; end: number }): Uint8Array =>
    virtDeviceTree({
      chosen: options.chosen ?? [],
      harts,
      ramBytes,
      extensions: options.aia ? withAia(EXTENSIONS) : EXTENSIONS,
      ...(options.aia && { aia: { choice: options.aia, guestFiles: options.guestFiles ?? GUEST_FILES } }),
      mmu: 'sv48',
      timebase: TIMEBASE,
      bootargs: options.append ?? '',
      seed: options.seed ?? 0,
      iommu: options.iommu ?? false,
      ...(initrd && { initrd }),
      ...((options.bios ?? 'default') === 'default' && { firmware: { address: base, bytes: FIRMWARE_BYTES } }),
    })
  const initrdBytes = options.initrd?.length ?? 0
  // The tree's size does not depend on where the initrd is.
  const size = tree(initrdBytes > 0 ? { start: 0, end: 0 } : undefined).length
  const treeAt = down(Math.min(base + ramBytes, TREE_CEILING) - size, LARGE_PAGE)
  const initrdAt = down(treeAt - initrdBytes, PAGE_BYTES)
  if (initrdAt < used) {
    throw new Error(
      `RAM of ${ramBytes >> 20} MiB is too small: images end at 0x${used.toString(16)}, ` +
        `${initrdBytes} bytes of initrd and the device tree must fit above; give more RAM`,
    )
  }
  if (options.initrd) memory.write(initrdAt, options.initrd)
  const bytes = tree(initrdBytes > 0 ? { start: initrdAt, end: initrdAt + initrdBytes } : undefined)
  memory.write(treeAt, bytes)
  const entry = bios ? bios.entry : (kernel?.entry ?? base)
  memory.write(VIRT_MAP.rom.base, resetRom(entry, treeAt, kernel ? kernel.entry : PAYLOAD_AT))
  return bytes
}

function wireChips(wiring: Wiring, options: VirtOptions): { uart: Uart; time: TimeSource } {
  const { bus, harts } = wiring
  const attach = (
    name: string,
    window: { base: number; bytes: number },
    chip: Parameters<typeof bus.attach>[3],
    distance?: 'core' | 'pcie',
  ): void => bus.attach(name, window.base, window.bytes, chip, distance)

  const clint = new Clint(wiring.clock('clint'), harts, options.timePhase)
  wiring.enroll('clint', clint)
  attach('clint', VIRT_MAP.clint, clint, 'core')

  const controller = options.aia
    ? wireAia(wiring, options.aia, options.guestFiles ?? GUEST_FILES)
    : { controller: wirePlic(wiring), messages: undefined }
  const { controller: plic, messages } = controller

  const uart = new Uart(wiring.clock('uart'), plic.line(VIRT_SOURCES.uart), options.output ?? (() => {}))
  wiring.enroll('uart', uart)
  attach('uart', VIRT_MAP.uart, uart)

  const rtc = new GoldfishRtc(wiring.clock('rtc'), plic.line(VIRT_SOURCES.rtc), options.time ?? DEFAULT_TIME)
  wiring.enroll('rtc', rtc)
  attach('rtc', VIRT_MAP.rtc, rtc)

  attach('finisher', VIRT_MAP.finisher, new TestFinisher(({ how, code }) => wiring.stop(how, code)))
  for (let slot = 0; slot < VIRTIO_SLOTS; slot++) {
    const { base, bytes } = VIRT_MAP.virtio
    attach(`virtio${slot}`, { base: base + slot * bytes, bytes }, new EmptyVirtioSlot())
  }
  wirePcie(wiring, plic, messages, options)
  return { uart, time: clint }
}

function wirePlic(wiring: Wiring): Controller {
  const plic = new Plic(
    wiring.harts.flatMap(({ meip, seip }) => [meip, seip]),
    VIRT_SOURCES.highest,
  )
  wiring.enroll('plic', plic)
  wiring.bus.attach('plic', VIRT_MAP.plic.base, VIRT_MAP.plic.bytes, plic)
  return plic
}

/** Where devices' messages arrive: a window, and the chip behind it. */
interface Messages {
  readonly base: number
  readonly bytes: number
  readonly chip: Chip
}

function wireAia(
  wiring: Wiring,
  choice: AiaChoice,
  guestFiles: number,
): { controller: Controller; messages: Messages | undefined } {
  const { bus, harts } = wiring
  const imsics = choice === 'aplic' ? [] : wireImsics(wiring, guestFiles)
  if (choice === 'aplic') harts.forEach((_, hart) => wiring.aia(hart, undefined))
  const write = (chip: Chip, identity: number) => chip.write(0, 4, identity)
  const targets = (machine: boolean): AplicTarget[] =>
    harts.map(({ meip, seip }, hart) => ({
      line: machine ? meip : seip,
      ...(imsics[hart] && {
        message: (guest: number, identity: number) => {
          if (guest <= guestFiles) write(imsics[hart].page(machine ? MACHINE_FILE : guest), identity)
        },
      }),
    }))
  const supervisor = new AplicDomain(targets(false), VIRT_SOURCES.highest)
  const machine = new AplicDomain(targets(true), VIRT_SOURCES.highest, supervisor)
  wiring.enroll('aplic', machine)
  wiring.enroll('aplic-supervisor', supervisor)
  bus.attach('aplic', VIRT_MAP.aplicMachine.base, VIRT_MAP.aplicMachine.bytes, machine)
  bus.attach('aplic-supervisor', VIRT_MAP.aplicSupervisor.base, VIRT_MAP.aplicSupervisor.bytes, supervisor)
  if (choice === 'aplic') return { controller: machine, messages: undefined }
  const pages = filePages(guestFiles)
  return {
    controller: machine,
    messages: {
      base: VIRT_MAP.imsicSupervisor.base,
      bytes: harts.length * pages * PAGE_BYTES,
      chip: {
        read: () => 0,
        write: (offset, bytes, value) => {
          const page = Math.floor(offset / PAGE_BYTES)
          const file = page % pages
          if (file <= guestFiles) imsics[Math.floor(page / pages)].page(file).write(offset % PAGE_BYTES, bytes, value)
        },
      },
    },
  }
}

function wireImsics(wiring: Wiring, guestFiles: number): Imsic[] {
  const { bus } = wiring
  return wiring.harts.map(({ meip, seip, guest }, hart) => {
    const guests = Array.from({ length: guestFiles }, (_, index) => guest(index + 1))
    const imsic = new Imsic({ machine: meip, supervisor: seip, guests })
    wiring.enroll(`imsic${hart}`, imsic)
    wiring.aia(hart, imsic)
    bus.attach(
      `imsic${hart}-machine`,
      VIRT_MAP.imsicMachine.base + hart * PAGE_BYTES,
      PAGE_BYTES,
      imsic.page(MACHINE_FILE),
    )
    const base = VIRT_MAP.imsicSupervisor.base + hart * filePages(guestFiles) * PAGE_BYTES
    for (let file = 0; file <= guestFiles; file++)
      bus.attach(`imsic${hart}-file${file}`, base + file * PAGE_BYTES, PAGE_BYTES, imsic.page(file))
    return imsic
  })
}

/** Memory and the pages of interrupt files, as devices write to them. */
function withMessages(memory: Dma, { base, bytes, chip }: Messages): Dma {
  return {
    read: (address, into) => memory.read(address, into),
    write(address, from) {
      if (address < base || address >= base + bytes) return memory.write(address, from)
      if (from.length !== 4 || address % 4 !== 0) return false
      chip.write(address - base, 4, new DataView(from.buffer, from.byteOffset).getUint32(0, true))
      return true
    },
  }
}

/** The ISA string's names stand in their order. */
function withAia(extensions: readonly string[]): readonly string[] {
  const at = extensions.findIndex(name => name > 'ssaia' && name.startsWith('s'))
  return [...extensions.slice(0, at), 'smaia', 'ssaia', ...extensions.slice(at)]
}

/** The root bus: disks from slot 1 on, network cards behind them. */
/** Where the wires of chips end. */
interface Controller {
  line(source: number): Line
}

function wirePcie(
  wiring: Wiring,
  plic: Controller,
  messages: Messages | undefined,
  { disks = [], namespaces = [], nics = [], devicePrices, iommu }: VirtOptions,
): void {
  const { bus } = wiring
  const wire = (pin: number) => plic.line(VIRT_SOURCES.pcie + pin)
  const memory = memoryDma(wiring.memory)
  const dma = messages ? withMessages(memory, messages) : memory
  const translate = iommu ? wireIommu(wiring, plic, dma) : () => dma
  const host = new PcieHost({
    dma: translate,
    lines: [wire(0), wire(1), wire(2), wire(3)],
    msix: messages !== undefined,
    window32: VIRT_MAP.pcieMemory32.base,
    window64: VIRT_MAP.pcieMemory64.base,
  })
  wiring.enroll('pcie', host)
  bus.attach('pcie-ecam', VIRT_MAP.pcieEcam.base, VIRT_MAP.pcieEcam.bytes, host.ecam, 'pcie')
  bus.attach('pcie-memory32', VIRT_MAP.pcieMemory32.base, VIRT_MAP.pcieMemory32.bytes, host.window32, 'pcie')
  bus.attach('pcie-memory64', VIRT_MAP.pcieMemory64.base, VIRT_MAP.pcieMemory64.bytes, host.window64, 'pcie')
  bus.attach('pcie-ports', VIRT_MAP.pciePorts.base, VIRT_MAP.pciePorts.bytes, host.ports, 'pcie')

  let slot = 1
  disks.forEach((backing, index) => {
    const name = `nvme${index}`
    const disk = new NvmeController(name, backing, wiring.clock(name), {
      ...(devicePrices && { drive: devicePrices.drive }),
      ...(namespaces[index] && { namespaces: namespaces[index] }),
    })
    wiring.enroll(name, disk)
    if (isSaved(backing)) wiring.enroll(`${name}-medium`, backing)
    host.plug(disk, slot++)
  })
  nics.forEach(({ mac, connect }, index) => {
    const name = `nic${index}`
    const address = mac ?? [...FIRST_MAC.slice(0, 5), FIRST_MAC[5] + index]
    const nic = new NicController(name, address, wiring.clock(name), devicePrices && { prices: devicePrices.card })
    wiring.enroll(name, nic)
    host.plug(nic, slot++)
    connect?.(nic, wiring)
  })
}

/** Memory as each function reaches it through the IOMMU. */
function wireIommu(wiring: Wiring, plic: Controller, dma: Dma): (requester: number) => Dma {
  const wires = Array.from({ length: IOMMU_WIRES }, (_, vector) => plic.line(VIRT_SOURCES.iommu + vector))
  const iommu = new Iommu(wiring.memory, dma, wires)
  wiring.enroll('iommu', iommu)
  wiring.bus.attach('iommu', VIRT_MAP.iommu.base, VIRT_MAP.iommu.bytes, iommu)
  return requester => iommu.behind(requester)
}

/** Sectors in memory are part of the machine's state; those in a file are not. */
function isSaved(backing: Backing): backing is Backing & Saved {
  return 'save' in backing && 'restore' in backing
}

function down(address: number, alignment: number): number {
  return Math.floor(address / alignment) * alignment
}
