/**
 * Shapes of floating-point meanings. Each begins with `requireFloat`: with the FPU off every instruction that touches
 * its state is illegal, whatever else it would do.
 */
import type { Meaning } from './language.ts'
import type { FloatFormat, FloatOperation } from './semantics.ts'

export const fused =
  (operation: FloatOperation, format: FloatFormat): Meaning =>
  (m, i) => {
    m.requireFloat()
    m.setF(i.rd, m.float(operation, format, m.f(i.rs1), m.f(i.rs2), m.f(i.rs3), i.rm))
  }

export const binary =
  (operation: FloatOperation, format: FloatFormat): Meaning =>
  (m, i) => {
    m.requireFloat()
    m.setF(i.rd, m.float(operation, format, m.f(i.rs1), m.f(i.rs2), m.constant(0n), i.rm))
  }

export const unary =
  (operation: FloatOperation, format: FloatFormat): Meaning =>
  (m, i) => {
    m.requireFloat()
    m.setF(i.rd, m.float(operation, format, m.f(i.rs1), m.constant(0n), m.constant(0n), i.rm))
  }

/** As `binary`, but funct3 is no rounding mode. */
export const minmax =
  (operation: FloatOperation, format: FloatFormat): Meaning =>
  (m, i) => {
    m.requireFloat()
    m.setF(i.rd, m.float(operation, format, m.f(i.rs1), m.f(i.rs2), m.constant(0n), m.constant(0n)))
  }

export const compare =
  (operation: FloatOperation, format: FloatFormat): Meaning =>
  (m, i) => {
    m.requireFloat()
    m.setX(i.rd, m.float(operation, format, m.f(i.rs1), m.f(i.rs2), m.constant(0n), m.constant(0n)))
  }

export const classify =
  (format: FloatFormat): Meaning =>
  (m, i) => {
    m.requireFloat()
    m.setX(i.rd, m.float('classify', format, m.f(i.rs1), m.constant(0n), m.constant(0n), m.constant(0n)))
  }

export const toInteger =
  (operation: FloatOperation, format: FloatFormat): Meaning =>
  (m, i) => {
    m.requireFloat()
    m.setX(i.rd, m.float(operation, format, m.f(i.rs1), m.constant(0n), m.constant(0n), i.rm))
  }

export const fromInteger =
  (operation: FloatOperation, format: FloatFormat): Meaning =>
  (m, i) => {
    m.requireFloat()
    m.setF(i.rd, m.float(operation, format, m.x(i.rs1), m.constant(0n), m.constant(0n), i.rm))
  }

export const floatStore =
  (bytes: 4 | 8): Meaning =>
  (m, i) => {
    m.requireFloat()
    m.store(m.add(m.x(i.rs1), i.imm), bytes, m.f(i.rs2))
  }
