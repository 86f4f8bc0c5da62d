/** A port onto plain memory, for structures that the host's kernel keeps in RAM: loads, stores, copies; nothing is priced. */
import type { HartPort } from '../../../hw/port.ts'
import { KERNEL_BASE, KERNEL_BYTES } from '../../../vmm/hosted/layout.ts'

export interface RamPort {
  readonly port: HartPort
  /** What `time` reads. */
  time: number
}

export function ramPort(): RamPort {
  const view = new DataView(new ArrayBuffer(KERNEL_BYTES))
  const bytes = new Uint8Array(view.buffer)
  const at = (address: number) => address - KERNEL_BASE
  const ram: RamPort = {
    time: 0,
    port: {
      hart: 0,
      load8: (address: number) => view.getUint8(at(address)),
      load16: (address: number) => view.getUint16(at(address), true),
      load32: (address: number) => view.getUint32(at(address), true),
      load64: (address: number) => Number(view.getBigUint64(at(address), true)),
      load64Signed: (address: number) => Number(view.getBigInt64(at(address), true)),
      store8: (address: number, value: number) => view.setUint8(at(address), value),
      store16: (address: number, value: number) => view.setUint16(at(address), value, true),
      store32: (address: number, value: number) => view.setUint32(at(address), value, true),
      store64: (address: number, value: number) => view.setBigUint64(at(address), BigInt(value), true),
      copy: (to: number, from: number, count: number) => bytes.copyWithin(at(to), at(from), at(from) + count),
      fill: (to: number, byte: number, count: number) => bytes.fill(byte, at(to), at(to) + count),
      add32: (address: number, value: number) => {
        const old = view.getUint32(at(address), true)
        view.setUint32(at(address), old + value, true)
        return old
      },
      or32: (address: number, value: number) => {
        const old = view.getUint32(at(address), true)
        view.setUint32(at(address), old | value, true)
        return old
      },
      and32: (address: number, value: number) => {
        const old = view.getUint32(at(address), true)
        view.setUint32(at(address), old & value, true)
        return old
      },
      fence: () => {},
      lock: () => true,
      unlock: () => {},
      read: () => ram.time,
      account: () => {},
    } as unknown as HartPort,
  }
  return ram
}
