/** The device tree of board `virt`: what Linux and other software need to find all of it. */
import { IMSIC_IDENTITIES } from '../devices/imsic.ts'
import { PAGE_BYTES } from '../spec/address.ts'
import { filePages, guestIndexBits } from '../spec/devices/imsic.ts'
import { UART_CLOCK } from '../spec/devices/uart.ts'
import { type FdtNode, type FdtValue, encodeFdt, fdtCells64, fdtNode } from '../spec/layouts/fdt.ts'
import { randomWords } from '../spec/random.ts'
import { IOMMU_WIRES, VIRTIO_SLOTS, VIRT_MAP, VIRT_SOURCES } from './virt-map.ts'

export interface VirtTree {
  readonly harts: number
  readonly ramBytes: number
  /** Multi-letter extensions beside RV64GC and H, in canonical order. */
  readonly extensions: readonly string[]
  readonly mmu: 'sv39' | 'sv48' | 'sv57'
  /** Counts of mtime in a second. */
  readonly timebase: number
  readonly bootargs: string
  readonly initrd?: { readonly start: number; readonly end: number }
  /** Memory that firmware keeps for itself. */
  readonly firmware?: { readonly address: number; readonly bytes: number }
  /** Nodes below /chosen. */
  readonly chosen?: readonly FdtNode[]
  readonly iommu: boolean
  /** In place of the PLIC. */
  readonly aia?: { readonly choice: 'aplic' | 'aplic-imsic'; readonly guestFiles: number }
  /** Decides chosen/rng-seed. */
  readonly seed: number
}

const BASE_EXTENSIONS = ['i', 'm', 'a', 'f', 'd', 'c', 'h']
const CACHE_BLOCK_BYTES = 64
const LEVEL_HIGH = 4
/** Interrupt numbers of a hart (mcause without its top bit). */
const HART_INTERRUPT = { SOFTWARE_M: 3, TIMER_M: 7, EXTERNAL_S: 9, EXTERNAL_M: 11 } as const
const PCI_PORTS = 0x0100_0000
const PCI_MEMORY32 = 0x0200_0000
const PCI_MEMORY64 = 0x0300_0000

/** Builds the tree, flattened. */
export function virtDeviceTree(options: VirtTree): Uint8Array {
  const { harts, ramBytes, bootargs, initrd, firmware } = options
  const cpu = (hart: number): number => 1 + hart * 2
  const controller = (hart: number): number => 2 + hart * 2
  const plic = 1 + harts * 2
  const finisher = plic + 1
  const iommu = plic + 2
  const { aia } = options
  const [aplicMachine, imsicMachine, imsicSupervisor] = [plic + 3, plic + 4, plic + 5]
  const messages = aia?.choice === 'aplic-imsic'
  // What is M-mode's own: other firmware disables it in the tree that it hands on, and so does ours.
  const machineLevel: Record<string, FdtValue> = firmware ? { status: 'disabled' } : {}
  const everyHart = Array.from({ length: harts }, (_, hart) => hart)
  const wires = (...interrupts: number[]): number[] =>
    everyHart.flatMap(hart => interrupts.flatMap(interrupt => [controller(hart), interrupt]))

  const chosen: Record<string, FdtValue> = {
    bootargs,
    'stdout-path': `/soc/serial@${VIRT_MAP.uart.base.toString(16)}`,
    'rng-seed': seedBytes(options.seed, 32),
  }
  if (initrd) {
    chosen['linux,initrd-start'] = fdtCells64(initrd.start)
    chosen['linux,initrd-end'] = fdtCells64(initrd.end)
  }
  const isa = {
    'riscv,isa': `rv64${BASE_EXTENSIONS.join('')}${options.extensions.map(extension => `_${extension}`).join('')}`,
    'riscv,isa-base': 'rv64i',
    'riscv,isa-extensions': [...BASE_EXTENSIONS, ...options.extensions],
    'mmu-type': `riscv,${options.mmu}`,
    ...(options.extensions.includes('zicbom') && { 'riscv,cbom-block-size': [CACHE_BLOCK_BYTES] }),
    ...(options.extensions.includes('zicbop') && { 'riscv,cbop-block-size': [CACHE_BLOCK_BYTES] }),
    ...(options.extensions.includes('zicboz') && { 'riscv,cboz-block-size': [CACHE_BLOCK_BYTES] }),
  }
  // With AIA an interrupt's second cell says that it is a high level.
  const wire = (source: number): number[] => (aia ? [source, LEVEL_HIGH] : [source])
  const interrupt = (source: number): Record<string, FdtValue> => ({
    'interrupt-parent': [plic],
    interrupts: wire(source),
  })
  const virtio = Array.from({ length: VIRTIO_SLOTS }, (_, slot) => ({
    base: VIRT_MAP.virtio.base + slot * VIRT_MAP.virtio.bytes,
    bytes: VIRT_MAP.virtio.bytes,
    source: VIRT_SOURCES.virtio + slot,
  }))

  return encodeFdt(
    fdtNode(
      '',
      {
        '#address-cells': [2],
        '#size-cells': [2],
        compatible: 'riscv-virtio',
        model: 'riscv-virtio,barehart',
      },
      [
        fdtNode('chosen', chosen, options.chosen ?? []),
        fdtNode(`memory@${VIRT_MAP.ram.base.toString(16)}`, {
          device_type: 'memory',
          reg: reg(VIRT_MAP.ram.base, ramBytes),
        }),
        ...(firmware
          ? [
              fdtNode('reserved-memory', { '#address-cells': [2], '#size-cells': [2], ranges: true }, [
                fdtNode(`firmware@${firmware.address.toString(16)}`, {
                  reg: reg(firmware.address, firmware.bytes),
                  'no-map': true,
                }),
              ]),
            ]
          : []),
        fdtNode('cpus', { '#address-cells': [1], '#size-cells': [0], 'timebase-frequency': [options.timebase] }, [
          ...everyHart.map(hart =>
            fdtNode(
              `cpu@${hart.toString(16)}`,
              {
                phandle: [cpu(hart)],
                device_type: 'cpu',
                reg: [hart],
                status: 'okay',
                compatible: 'riscv',
                ...isa,
              },
              [
                fdtNode('interrupt-controller', {
                  '#interrupt-cells': [1],
                  '#address-cells': [0],
                  'interrupt-controller': true,
                  compatible: 'riscv,cpu-intc',
                  phandle: [controller(hart)],
                }),
              ],
            ),
          ),
          fdtNode('cpu-map', {}, [
            fdtNode(
              'cluster0',
              {},
              everyHart.map(hart => fdtNode(`core${hart}`, { cpu: [cpu(hart)] })),
            ),
          ]),
        ]),
        fdtNode('poweroff', { compatible: 'syscon-poweroff', regmap: [finisher], offset: [0], value: [0x5555] }),
        fdtNode('reboot', { compatible: 'syscon-reboot', regmap: [finisher], offset: [0], value: [0x7777] }),
        fdtNode('soc', { '#address-cells': [2], '#size-cells': [2], compatible: 'simple-bus', ranges: true }, [
          chip('test', VIRT_MAP.finisher, {
            compatible: ['sifive,test1', 'sifive,test0', 'syscon'],
            phandle: [finisher],
          }),
          chip('rtc', VIRT_MAP.rtc, { compatible: 'google,goldfish-rtc', ...interrupt(VIRT_SOURCES.rtc) }),
          chip('clint', VIRT_MAP.clint, {
            compatible: ['sifive,clint0', 'riscv,clint0'],
            'interrupts-extended': wires(HART_INTERRUPT.SOFTWARE_M, HART_INTERRUPT.TIMER_M),
          }),
          ...(aia
            ? []
            : [
                chip('plic', VIRT_MAP.plic, {
                  compatible: ['sifive,plic-1.0.0', 'riscv,plic0'],
                  phandle: [plic],
                  'interrupt-controller': true,
                  '#interrupt-cells': [1],
                  '#address-cells': [0],
                  'riscv,ndev': [VIRT_SOURCES.highest],
                  'interrupts-extended': wires(HART_INTERRUPT.EXTERNAL_M, HART_INTERRUPT.EXTERNAL_S),
                }),
              ]),
          ...(messages
            ? [
                imsic(
                  VIRT_MAP.imsicMachine.base,
                  harts * PAGE_BYTES,
                  0,
                  imsicMachine,
                  wires(HART_INTERRUPT.EXTERNAL_M),
                  machineLevel,
                ),
                imsic(
                  VIRT_MAP.imsicSupervisor.base,
                  harts * filePages(aia.guestFiles) * PAGE_BYTES,
                  guestIndexBits(aia.guestFiles),
                  imsicSupervisor,
                  wires(HART_INTERRUPT.EXTERNAL_S),
                ),
              ]
            : []),
          ...(aia
            ? [
                aplic(VIRT_MAP.aplicMachine, aplicMachine, {
                  ...(messages
                    ? { 'msi-parent': [imsicMachine] }
                    : { 'interrupts-extended': wires(HART_INTERRUPT.EXTERNAL_M) }),
                  ...machineLevel,
                  'riscv,children': [plic],
                  'riscv,delegation': [plic, 1, VIRT_SOURCES.highest],
                }),
                aplic(
                  VIRT_MAP.aplicSupervisor,
                  plic,
                  messages
                    ? { 'msi-parent': [imsicSupervisor] }
                    : { 'interrupts-extended': wires(HART_INTERRUPT.EXTERNAL_S) },
                ),
              ]
            : []),
          chip('serial', VIRT_MAP.uart, {
            compatible: 'ns16550a',
            'clock-frequency': [UART_CLOCK],
            ...interrupt(VIRT_SOURCES.uart),
          }),
          ...virtio.map(slot => chip('virtio_mmio', slot, { compatible: 'virtio,mmio', ...interrupt(slot.source) })),
          ...(options.iommu
            ? [
                chip('iommu', VIRT_MAP.iommu, {
                  compatible: ['qemu,riscv-iommu', 'riscv,iommu'],
                  phandle: [iommu],
                  '#iommu-cells': [1],
                  'interrupt-parent': [plic],
                  interrupts: Array.from({ length: IOMMU_WIRES }, (_, vector) =>
                    wire(VIRT_SOURCES.iommu + vector),
                  ).flat(),
                  ...(messages && { 'msi-parent': [imsicSupervisor] }),
                }),
              ]
            : []),
          pcie(plic, wire, {
            ...(options.iommu && { 'iommu-map': [0, iommu, 0, 0x1_0000] }),
            ...(messages && { 'msi-parent': [imsicSupervisor] }),
          }),
        ]),
      ],
    ),
  )
}

function chip(
  name: string,
  window: { base: number; bytes: number },
  properties: Readonly<Record<string, FdtValue>>,
): FdtNode {
  return fdtNode(`${name}@${window.base.toString(16)}`, { reg: reg(window.base, window.bytes), ...properties })
}

function reg(address: number, bytes: number): number[] {
  return [...fdtCells64(address), ...fdtCells64(bytes)]
}

/** The generic ECAM host. The four wires rotate with the slot, as PCI's swizzle has it. */
function pcie(plic: number, wire: (source: number) => number[], more: Readonly<Record<string, FdtValue>>): FdtNode {
  const { pciePorts, pcieEcam, pcieMemory32, pcieMemory64 } = VIRT_MAP
  const slots = [0, 1, 2, 3]
  const pins = [1, 2, 3, 4]
  const range = (space: number, pciAddress: number, window: { base: number; bytes: number }): number[] => [
    space,
    ...fdtCells64(pciAddress),
    ...fdtCells64(window.base),
    ...fdtCells64(window.bytes),
  ]
  return chip('pci', pcieEcam, {
    compatible: 'pci-host-ecam-generic',
    device_type: 'pci',
    '#address-cells': [3],
    '#size-cells': [2],
    '#interrupt-cells': [1],
    'bus-range': [0, 0xff],
    'linux,pci-domain': [0],
    'dma-coherent': true,
    ranges: [
      ...range(PCI_PORTS, 0, pciePorts),
      ...range(PCI_MEMORY32, pcieMemory32.base, pcieMemory32),
      ...range(PCI_MEMORY64, pcieMemory64.base, pcieMemory64),
    ],
    ...more,
    'interrupt-map-mask': [3 << 11, 0, 0, 7],
    'interrupt-map': slots.flatMap(slot =>
      pins.flatMap(pin => [slot << 11, 0, 0, pin, plic, ...wire(VIRT_SOURCES.pcie + ((slot + pin - 1) % 4))]),
    ),
  })
}

function aplic(
  window: { base: number; bytes: number },
  phandle: number,
  more: Readonly<Record<string, FdtValue>>,
): FdtNode {
  return chip('interrupt-controller', window, {
    compatible: ['qemu,aplic', 'riscv,aplic'],
    phandle: [phandle],
    'interrupt-controller': true,
    '#interrupt-cells': [2],
    '#address-cells': [0],
    'riscv,num-sources': [VIRT_SOURCES.highest],
    ...more,
  })
}

function imsic(
  base: number,
  bytes: number,
  guestBits: number,
  phandle: number,
  wires: number[],
  more: Readonly<Record<string, FdtValue>> = {},
): FdtNode {
  return chip(
    'interrupt-controller',
    { base, bytes },
    {
      compatible: ['qemu,imsics', 'riscv,imsics'],
      phandle: [phandle],
      'interrupt-controller': true,
      '#interrupt-cells': [0],
      'msi-controller': true,
      '#msi-cells': [0],
      'riscv,num-ids': [IMSIC_IDENTITIES],
      ...(guestBits > 0 && { 'riscv,guest-index-bits': [guestBits] }),
      'interrupts-extended': wires,
      ...more,
    },
  )
}

function seedBytes(seed: number, count: number): Uint8Array {
  const random = randomWords(seed)
  return Uint8Array.from({ length: count }, () => random() & 0xff)
}
