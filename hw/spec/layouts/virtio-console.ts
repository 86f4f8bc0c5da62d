/** The virtio console device (virtio 1.2, 5.3): its configuration space. Queue buffers are plain characters. */
import { VIRTIO_MMIO_CONFIG } from '../devices/virtio-mmio.ts'
import { registers } from '../registers.ts'

const SPEC = 'virtio 1.2 5.3.4'

/** Configuration space, at its offsets in the MMIO window. */
export const virtioConsoleConfig = registers({
  cols: { at: VIRTIO_MMIO_CONFIG + 0, width: 16, access: 'ro', spec: SPEC },
  rows: { at: VIRTIO_MMIO_CONFIG + 2, width: 16, access: 'ro', spec: SPEC },
  max_nr_ports: { at: VIRTIO_MMIO_CONFIG + 4, width: 32, access: 'ro', spec: SPEC },
  emerg_wr: { at: VIRTIO_MMIO_CONFIG + 8, width: 32, access: 'wo', spec: SPEC },
})

/** Numbers of the feature bits (virtio 1.2, 5.3.3). */
export const VIRTIO_CONSOLE_F = { SIZE: 0, MULTIPORT: 1, EMERG_WRITE: 2 } as const

/** Indices of port 0's queues (virtio 1.2, 5.3.2). */
export const VIRTIO_CONSOLE_RECEIVEQ = 0
export const VIRTIO_CONSOLE_TRANSMITQ = 1
