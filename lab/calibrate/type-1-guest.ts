/** The microbenchmark guest as another project's hypervisor gets it: where it lies, and the device tree that it is given. */
import { GUEST_KERNEL, GUEST_MAP, GUEST_RAM } from '../../hw/spec/guest-map.ts'
import { TIMEBASE } from '../../hw/boards/virt.ts'
import { encodeFdt, fdtCells64, fdtNode } from '../../hw/spec/layouts/fdt.ts'

/** A guest for a real type 1. */
export interface Type1Guest {
  readonly kernel: Uint8Array
  readonly bootargs: string
  /** The machine's hart of each of its vCPUs. */
  readonly harts: readonly number[]
  readonly memoryBytes: number
  /** Goes before guests that are not, as soon as it has something to do. */
  readonly urgent?: boolean
}

export { GUEST_KERNEL, GUEST_RAM }
/** Its tree, and what enters the kernel with it: below the kernel, where nothing else is. */
export const TREE_AT = GUEST_KERNEL - 0x8000

const EXTERNAL_M = 11
const EXTERNAL_S = 9
/** What a hart is said to be: the least that both hypervisors give. */
const ISA = 'rv64imafdc_zicsr_zifencei_sstc'

/** The tree, flattened. `virtio` are the devices that the hypervisor emulates beside UART and PLIC. */
export function type1Tree(
  { bootargs, harts, memoryBytes }: Type1Guest,
  virtio: readonly { readonly base: number; readonly source: number }[],
): Uint8Array {
  const { uart, plic } = GUEST_MAP
  const controller = harts.length + 1
  const cpus = harts.map((_, hart) =>
    fdtNode(`cpu@${hart}`, { device_type: 'cpu', reg: [hart], compatible: 'riscv', 'riscv,isa': ISA }, [
      fdtNode('interrupt-controller', {
        '#interrupt-cells': [1],
        'interrupt-controller': true,
        compatible: 'riscv,cpu-intc',
        phandle: [hart + 1],
      }),
    ]),
  )
  const window = (base: number, bytes: number) => ({ reg: [...fdtCells64(base), ...fdtCells64(bytes)] })
  const from = (source: number) => ({ 'interrupt-parent': [controller], interrupts: [source] })
  return encodeFdt(
    fdtNode(
      '',
      { '#address-cells': [2], '#size-cells': [2], compatible: 'riscv-virtio', model: 'riscv-virtio,guest' },
      [
        fdtNode('chosen', { bootargs }),
        fdtNode(`memory@${GUEST_RAM.toString(16)}`, { device_type: 'memory', ...window(GUEST_RAM, memoryBytes) }),
        fdtNode('cpus', { '#address-cells': [1], '#size-cells': [0], 'timebase-frequency': [TIMEBASE] }, cpus),
        fdtNode('soc', { '#address-cells': [2], '#size-cells': [2], compatible: 'simple-bus', ranges: true }, [
          // Both have a context for machine mode too, as the chip that they emulate.
          fdtNode(`plic@${plic.base.toString(16)}`, {
            compatible: ['sifive,plic-1.0.0', 'riscv,plic0'],
            ...window(plic.base, plic.bytes),
            'interrupt-controller': true,
            '#interrupt-cells': [1],
            '#address-cells': [0],
            'riscv,ndev': [31],
            phandle: [controller],
            'interrupts-extended': harts.flatMap((_, hart) => [hart + 1, EXTERNAL_M, hart + 1, EXTERNAL_S]),
          }),
          fdtNode(`serial@${uart.base.toString(16)}`, {
            compatible: 'ns16550a',
            ...window(uart.base, uart.bytes),
            ...from(uart.source),
          }),
          ...virtio.map(({ base, source }) =>
            fdtNode(`virtio_mmio@${base.toString(16)}`, {
              compatible: 'virtio,mmio',
              ...window(base, 0x1000),
              ...from(source),
            }),
          ),
        ]),
      ],
    ),
  )
}
