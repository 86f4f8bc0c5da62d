/** A server's text: everything that happens brings it back behind its only system call. */
import { assemble, type Program } from '../../../../hw/spec/isa/assembler.ts'

/** It uses no absolute address. */
const TEXT = `
    .option norvc
main:
    enter main
    ecall
returned:
    enter returned
`

/** Where it lies on the machine. */
export function serverProgram(text: number): Program {
  return assemble(TEXT, { origin: text })
}
