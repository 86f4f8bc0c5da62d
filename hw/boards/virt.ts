/**
 * Board `virt`: QEMU's address map (drawn in ./virt-map.ts) around our chips. It finds its own device tree, firmware and
 * payload their places in RAM, as that machine does:
 *
 *   firmware │ 0x8020_0000 payload … │ … initrd │ device tree │ end of RAM (or 3 GiB, if RAM reaches further)
 */
import type { Board, TimeSource, Wiring } from '../board.ts'
import type { Dma } from '../bus/chip.ts'
import { Clint } from '../devices/clint.ts'
import type { Backing } from '../devices/disk-backing.ts'
import { attachHtif } from '../devices/htif.ts'
import type { NicController } from '../devices/nic/nic-controller.ts'
import type { NvmeController } from '../devices/nvme/nvme-controller.ts'
import { GoldfishRtc } from '../devices/rtc.ts'
import { TestFinisher } from '../devices/test-finisher.ts'
import { Uart } from '../devices/uart.ts'
import { EmptyVirtioSlot } from '../devices/virtio-mmio-slot.ts'
import type { Memory } from '../memory/memory.ts'
import { PAGE_BYTES } from '../spec/address.ts'
import { assemble } from '../spec/isa/assembler.ts'
import type { FdtNode } from '../spec/layouts/fdt.ts'
import type { DrivePrices, NicPrices } from '../time/prices-devices.ts'
import { virtDeviceTree } from './device-tree.ts'
import { FIRMWARE_BYTES, firmwareSource } from './firmware/firmware.ts'
import { type BootImage, loadImage, parseImage } from './load.ts'
import { resetRom } from './reset-rom.ts'
import { type AiaChoice, wireAia, wirePlic } from './virt-interrupts.ts'
import { PAYLOAD_AT, VIRTIO_SLOTS, VIRT_MAP, VIRT_SOURCES } from './virt-map.ts'
import { wirePcie } from './virt-pcie.ts'

export type { AiaChoice } from './virt-interrupts.ts'

/** A network card to be plugged in. */
export interface VirtNic {
  /** Six bytes; QEMU's 52:54:00:12:34:56 and up unless given. A second port's differs in the last bit. */
  readonly mac?: readonly number[]
  /** Ports, each a function of the card: 1 unless given, or 2. */
  readonly ports?: number
  /** Virtual functions that software can make appear at each port: none unless given, 7 as Linux and our VMM use them. */
  readonly virtualFunctions?: number
  /** Called for each port once the card is in its slot: whoever has the other end of the cable attaches it. */
  connect?(nic: NicController, wiring: Wiring, port: number): void
}

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
  /** Called once a disk is in its slot: whoever makes its hardware fail takes note of it. */
  readonly plugged?: (disk: NvmeController, index: number) => void
  readonly nics?: readonly VirtNic[]
  /** The Advanced Interrupt Architecture in place of the PLIC: an APLIC alone, or with an IMSIC a hart, which takes messages. */
  readonly aia?: AiaChoice
  /** Guest interrupt files of each IMSIC: {@link GUEST_FILES} unless given. */
  readonly guestFiles?: number
  /** An IOMMU stands between PCIe devices and memory. */
  readonly iommu?: boolean
  /** Asked for each function of the PCIe bus, by requester number: whoever watches what they master stands between. */
  readonly masters?: (requester: number, memory: Dma) => Dma
  /** Harts have fence.t, for VMMs that protect time. */
  readonly temporalFence?: boolean
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
    ...(options.temporalFence && { temporalFence: true }),
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
      extensions: [...(options.aia ? withAia(EXTENSIONS) : EXTENSIONS), ...(options.temporalFence ? ['xfencet'] : [])],
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

/** The ISA string's names stand in their order. */
function withAia(extensions: readonly string[]): readonly string[] {
  const at = extensions.findIndex(name => name > 'ssaia' && name.startsWith('s'))
  return [...extensions.slice(0, at), 'smaia', 'ssaia', ...extensions.slice(at)]
}

function down(address: number, alignment: number): number {
  return Math.floor(address / alignment) * alignment
}
