/** Shapes that many meanings share. */
import type { Meaning } from './language.ts'
import type { Semantics } from './semantics.ts'

export type Unary = <V>(m: Semantics<V>, a: V) => V
export type Binary = <V>(m: Semantics<V>, a: V, b: V) => V

/** rd ← operation(rs1) */
export const register =
  (operation: Unary): Meaning =>
  (m, i) =>
    m.setX(i.rd, operation(m, m.x(i.rs1)))
/** rd ← operation(rs1, rs2) */
export const registers =
  (operation: Binary): Meaning =>
  (m, i) =>
    m.setX(i.rd, operation(m, m.x(i.rs1), m.x(i.rs2)))
/** rd ← operation(rs1, imm) */
export const immediate =
  (operation: Binary): Meaning =>
  (m, i) =>
    m.setX(i.rd, operation(m, m.x(i.rs1), i.imm))

/** The shift amount of a 32-bit shift. */
export const low5: Unary = (m, a) => m.and(a, m.constant(31n))
export const addw: Binary = (m, a, b) => m.sext(m.add(a, b), 32)
export const invert: Unary = (m, a) => m.xor(a, m.constant(-1n))
