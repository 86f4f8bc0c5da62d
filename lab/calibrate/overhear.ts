/** The micro guest's console under hypervisors that have one of their own, or none. */
import type { Machine } from '../../hw/index.ts'
import { SBI_LEGACY_PUTCHAR } from '../../hw/spec/sbi.ts'

/** An ecall from VS-mode, as mcause and scause have it. */
const ECALL_VS = 10
const A0 = 10
const A7 = 17

/** Overhears the bytes that guests want printed, where the hypervisor refuses to print them. */
export function overhear(machine: Machine, print: (text: string) => void): void {
  machine.onTrap((hart, _, code) => {
    if (code !== ECALL_VS) return
    const { x } = machine.registers(hart)
    if (x[A7] === BigInt(SBI_LEGACY_PUTCHAR)) print(String.fromCharCode(Number(x[A0]) & 0xff))
  })
}
