/** Whose address space each hart is in: it is switched only when somebody comes who has another. */
import type { HartPort } from '../../hw/port.ts'
import { A0, A1 } from '../../hw/spec/sbi.ts'
import { NOWHERE } from '../core/vcpu.ts'
import type { KernelCode } from './image.ts'

export class ActiveSpaces {
  /** By hart: the number of the space in satp. */
  readonly record: Int32Array
  readonly #code: KernelCode

  constructor(harts: number, code: KernelCode) {
    this.record = new Int32Array(harts).fill(NOWHERE)
    this.#code = code
  }

  /** Goes on at `switched` in the space that this frame describes; false if the hart is in it already. */
  enter(port: HartPort, space: number, frame: number): boolean {
    if (this.record[port.hart] === space) return false
    this.record[port.hart] = space
    port.setX(A0, frame)
    port.setX(A1, this.#code.switched)
    port.jump(this.#code.switchSpace)
    return true
  }
}
