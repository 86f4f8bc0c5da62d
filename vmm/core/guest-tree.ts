/** The device tree that a guest is given: a part of board `virt`, and nothing of what else is on the machine. */
import { GUEST_MAP, GUEST_RAM, GUEST_SOURCES } from '../../hw/spec/guest-map.ts'
import { encodeFdt, fdtCells64, type FdtNode, type FdtValue, fdtNode } from '../../hw/spec/layouts/fdt.ts'

export interface GuestTree {
  readonly memoryBytes: number
  readonly vcpus: number
  readonly bootargs: string
  readonly initrd: { readonly address: number; readonly bytes: number } | undefined
  readonly timebase: number
  readonly disk: boolean
  readonly network: boolean
}

/** What a guest's harts have; the hypervisor extension is its VMM's. */
const BASE = ['i', 'm', 'a', 'f', 'd', 'c']
const EXTENSIONS = ['zicbom', 'zicboz', 'zicntr', 'zicsr', 'zifencei', 'zba', 'zbb', 'zbs', 'sstc', 'svade', 'svinval']
const BLOCK_BYTES = 64
const EXTERNAL_S = 9

/** Builds the tree, flattened, padded to whole words. */
export function guestTree(guest: GuestTree): Uint8Array {
  const harts = Array.from({ length: guest.vcpus }, (_, hart) => hart)
  const plic = guest.vcpus + 1
  const isa = {
    'riscv,isa': `rv64imafdc_${EXTENSIONS.join('_')}`,
    'riscv,isa-base': 'rv64i',
    'riscv,isa-extensions': [...BASE, ...EXTENSIONS],
    'mmu-type': 'riscv,sv48',
    'riscv,cbom-block-size': [BLOCK_BYTES],
    'riscv,cboz-block-size': [BLOCK_BYTES],
  }
  const interrupt = (source: number): Record<string, FdtValue> => ({ 'interrupt-parent': [plic], interrupts: [source] })
  const virtio = (window: { base: number; bytes: number; source: number }): FdtNode =>
    fdtNode(`virtio_mmio@${window.base.toString(16)}`, {
      compatible: 'virtio,mmio',
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
  const { uart, plic: controller } = GUEST_MAP
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
          fdtNode(`plic@${controller.base.toString(16)}`, {
            compatible: ['sifive,plic-1.0.0', 'riscv,plic0'],
            reg: [...fdtCells64(controller.base), ...fdtCells64(controller.bytes)],
            'interrupt-controller': true,
            '#interrupt-cells': [1],
            '#address-cells': [0],
            'riscv,ndev': [GUEST_SOURCES],
            phandle: [plic],
            'interrupts-extended': harts.flatMap(hart => [hart + 1, EXTERNAL_S]),
          }),
          fdtNode(`serial@${uart.base.toString(16)}`, {
            compatible: 'ns16550a',
            reg: [...fdtCells64(uart.base), ...fdtCells64(uart.bytes)],
            'clock-frequency': [3_686_400],
            ...interrupt(uart.source),
          }),
          ...(guest.disk ? [virtio(GUEST_MAP.disk)] : []),
          ...(guest.network ? [virtio(GUEST_MAP.network)] : []),
          virtio(GUEST_MAP.console),
        ]),
      ],
    ),
  )
  const padded = new Uint8Array((tree.length + 3) & ~3)
  padded.set(tree)
  return padded
}
