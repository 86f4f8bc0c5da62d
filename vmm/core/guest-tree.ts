/** The device tree that a guest is given: a part of board `virt`, and nothing of what else is on the machine. */
import {
  GUEST_AIA,
  GUEST_CABLES,
  GUEST_MAP,
  GUEST_PCIE,
  GUEST_RAM,
  GUEST_RINGS,
  GUEST_SOURCES,
} from '../../hw/spec/guest-map.ts'
import { swizzle } from '../../hw/spec/devices/pcie.ts'
import { encodeFdt, fdtCells64, type FdtNode, type FdtValue, fdtNode } from '../../hw/spec/layouts/fdt.ts'

export interface GuestTree {
  readonly memoryBytes: number
  readonly vcpus: number
  readonly bootargs: string
  readonly initrd: { readonly address: number; readonly bytes: number } | undefined
  readonly timebase: number
  readonly disk: boolean
  readonly network: boolean
  /** Network cards on cables to other guests. */
  readonly cables?: number
  /** Doorbell pages of rings. */
  readonly rings?: readonly (keyof typeof GUEST_RINGS)[]
  /** It has devices of its own behind PCIe: their interrupts come by wire, or as messages, or not at all. */
  readonly pcie?: 'wires' | 'messages' | 'silent'
}

/** What a guest's harts have; the hypervisor extension is its VMM's. */
const BASE = ['i', 'm', 'a', 'f', 'd', 'c']
const EXTENSIONS = ['zicbom', 'zicboz', 'zicntr', 'zicsr', 'zifencei', 'zba', 'zbb', 'zbs', 'sstc', 'svade', 'svinval']
const BLOCK_BYTES = 64
const EXTERNAL_S = 9
const LEVEL_HIGH = 4
const PCI_MEMORY32 = 0x0200_0000
const PCI_MEMORY64 = 0x0300_0000
/** Identities of an interrupt file. */
const IDENTITIES = 255
const PAGE = 4096

/** Window and source of a guest's network card on its nth cable. */
export function cableWindow(index: number): { base: number; bytes: number; source: number } {
  const { base, bytes, source } = GUEST_CABLES
  return { base: base + index * bytes, bytes, source: source + index }
}

/** Builds the tree, flattened, padded to whole words. */
export function guestTree(guest: GuestTree): Uint8Array {
  const harts = Array.from({ length: guest.vcpus }, (_, hart) => hart)
  const plic = guest.vcpus + 1
  const messages = guest.pcie === 'messages'
  const extensions = messages ? ['ssaia', ...EXTENSIONS] : EXTENSIONS
  const isa = {
    'riscv,isa': `rv64imafdc_${extensions.join('_')}`,
    'riscv,isa-base': 'rv64i',
    'riscv,isa-extensions': [...BASE, ...extensions],
    'mmu-type': 'riscv,sv48',
    'riscv,cbom-block-size': [BLOCK_BYTES],
    'riscv,cboz-block-size': [BLOCK_BYTES],
  }
  // An APLIC's interrupts have a second cell: a high level.
  const wire = (source: number): number[] => (messages ? [source, LEVEL_HIGH] : [source])
  const interrupt = (source: number): Record<string, FdtValue> => ({
    'interrupt-parent': [plic],
    interrupts: wire(source),
  })
  const virtio = (window: { base: number; bytes: number; source: number }): FdtNode =>
    fdtNode(`virtio_mmio@${window.base.toString(16)}`, {
      compatible: 'virtio,mmio',
      reg: [...fdtCells64(window.base), ...fdtCells64(window.bytes)],
      ...interrupt(window.source),
    })
  // Whoever looks for virtio slots finds them, and sees by the number there that they are none.
  const ring = (window: { base: number; bytes: number; source: number }): FdtNode =>
    fdtNode(`ring@${window.base.toString(16)}`, {
      compatible: ['barehart,ring', 'virtio,mmio'],
      reg: [...fdtCells64(window.base), ...fdtCells64(window.bytes)],
      ...interrupt(window.source),
    })
  const chosen: Record<string, FdtValue> = {
    bootargs: guest.bootargs,
    'stdout-path': `/soc/serial@${GUEST_MAP.uart.base.toString(16)}`,
  }
  if (guest.initrd) {
    chosen['linux,initrd-start'] = fdtCells64(guest.initrd.address)
    chosen['linux,initrd-end'] = fdtCells64(guest.initrd.address + guest.initrd.bytes)
  }
  const { uart } = GUEST_MAP
  const tree = encodeFdt(
    fdtNode(
      '',
      { '#address-cells': [2], '#size-cells': [2], compatible: 'riscv-virtio', model: 'riscv-virtio,guest' },
      [
        fdtNode('chosen', chosen),
        fdtNode(`memory@${GUEST_RAM.toString(16)}`, {
          device_type: 'memory',
          reg: [...fdtCells64(GUEST_RAM), ...fdtCells64(guest.memoryBytes)],
        }),
        fdtNode(
          'cpus',
          { '#address-cells': [1], '#size-cells': [0], 'timebase-frequency': [guest.timebase] },
          harts.map(hart =>
            fdtNode(`cpu@${hart}`, { device_type: 'cpu', reg: [hart], status: 'okay', compatible: 'riscv', ...isa }, [
              fdtNode('interrupt-controller', {
                '#interrupt-cells': [1],
                'interrupt-controller': true,
                compatible: 'riscv,cpu-intc',
                phandle: [hart + 1],
              }),
            ]),
          ),
        ),
        fdtNode('soc', { '#address-cells': [2], '#size-cells': [2], compatible: 'simple-bus', ranges: true }, [
          ...(messages ? messageController(harts, plic) : [wireController(harts, plic)]),
          fdtNode(`serial@${uart.base.toString(16)}`, {
            compatible: 'ns16550a',
            reg: [...fdtCells64(uart.base), ...fdtCells64(uart.bytes)],
            'clock-frequency': [3_686_400],
            ...interrupt(uart.source),
          }),
          ...(guest.disk ? [virtio(GUEST_MAP.disk)] : []),
          ...(guest.network ? [virtio(GUEST_MAP.network)] : []),
          virtio(GUEST_MAP.console),
          ...Array.from({ length: guest.cables ?? 0 }, (_, index) => virtio(cableWindow(index))),
          ...(guest.rings ?? []).map(kind => ring(GUEST_RINGS[kind])),
          ...(guest.pcie ? [hostBridge(plic, guest.pcie, wire)] : []),
        ]),
      ],
    ),
  )
  const padded = new Uint8Array((tree.length + 3) & ~3)
  padded.set(tree)
  return padded
}

function wireController(harts: readonly number[], plic: number): FdtNode {
  const { plic: window } = GUEST_MAP
  return fdtNode(`plic@${window.base.toString(16)}`, {
    compatible: ['sifive,plic-1.0.0', 'riscv,plic0'],
    reg: [...fdtCells64(window.base), ...fdtCells64(window.bytes)],
    'interrupt-controller': true,
    '#interrupt-cells': [1],
    '#address-cells': [0],
    'riscv,ndev': [GUEST_SOURCES],
    phandle: [plic],
    'interrupts-extended': harts.flatMap(hart => [hart + 1, EXTERNAL_S]),
  })
}

/** Interrupt files, and the APLIC that makes messages of wires. */
function messageController(harts: readonly number[], aplic: number): readonly FdtNode[] {
  const { aplic: window, imsic } = GUEST_AIA
  return [
    fdtNode(`interrupt-controller@${imsic.base.toString(16)}`, {
      compatible: ['qemu,imsics', 'riscv,imsics'],
      reg: [...fdtCells64(imsic.base), ...fdtCells64(harts.length * PAGE)],
      'interrupt-controller': true,
      '#interrupt-cells': [0],
      'msi-controller': true,
      '#msi-cells': [0],
      'riscv,num-ids': [IDENTITIES],
      phandle: [aplic + 1],
      'interrupts-extended': harts.flatMap(hart => [hart + 1, EXTERNAL_S]),
    }),
    fdtNode(`interrupt-controller@${window.base.toString(16)}`, {
      compatible: ['qemu,aplic', 'riscv,aplic'],
      reg: [...fdtCells64(window.base), ...fdtCells64(window.bytes)],
      'interrupt-controller': true,
      '#interrupt-cells': [2],
      '#address-cells': [0],
      'riscv,num-sources': [GUEST_SOURCES],
      phandle: [aplic],
      'msi-parent': [aplic + 1],
    }),
  ]
}

/** The generic ECAM host, with one bus. The four wires rotate with the slot, as PCI's swizzle has it. */
function hostBridge(
  controller: number,
  interrupts: NonNullable<GuestTree['pcie']>,
  wire: (source: number) => number[],
): FdtNode {
  const { ecam, memory32, memory64, source } = GUEST_PCIE
  const range = (space: number, window: { base: number; bytes: number }): number[] => [
    space,
    ...fdtCells64(window.base),
    ...fdtCells64(window.base),
    ...fdtCells64(window.bytes),
  ]
  return fdtNode(`pci@${ecam.base.toString(16)}`, {
    compatible: 'pci-host-ecam-generic',
    device_type: 'pci',
    reg: [...fdtCells64(ecam.base), ...fdtCells64(ecam.bytes)],
    '#address-cells': [3],
    '#size-cells': [2],
    '#interrupt-cells': [1],
    'bus-range': [0, 0],
    'linux,pci-domain': [0],
    'dma-coherent': true,
    ranges: [...range(PCI_MEMORY32, memory32), ...range(PCI_MEMORY64, memory64)],
    ...(interrupts === 'messages' && { 'msi-parent': [controller + 1] }),
    ...(interrupts === 'wires' && {
      'interrupt-map-mask': [3 << 11, 0, 0, 7],
      'interrupt-map': [0, 1, 2, 3].flatMap(slot =>
        [1, 2, 3, 4].flatMap(pin => [slot << 11, 0, 0, pin, controller, ...wire(source + swizzle(slot, pin))]),
      ),
    }),
  })
}
