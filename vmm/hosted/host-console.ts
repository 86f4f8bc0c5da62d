/** The console driver of the host's kernel: the serial line, shared by the processes, and the time when it has room again. */
import type { HartPort } from '../../hw/port.ts'
import type { SerialConsole } from '../core/serial-console.ts'

export class HostConsole {
  readonly #serial: SerialConsole
  readonly #due: Float64Array

  /** `due[0]`: when the kernel looks after its devices next. */
  constructor(serial: SerialConsole, due: Float64Array) {
    this.#serial = serial
    this.#due = due
  }

  put(port: HartPort, vm: number, byte: number): void {
    this.#serial.put(port, vm, byte)
    this.#due[0] = Math.min(this.#due[0], this.#serial.elapsed())
  }

  /** A byte for the guest in focus, or -1. */
  get(port: HartPort, vm: number): number {
    return this.#serial.get(port, vm)
  }
}
