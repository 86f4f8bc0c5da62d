/**
 * Where the running hart's architectural state lies in linear memory. Executors (evaluator, tier 0) and the hart's
 * own code (CSRs, traps, translation) share it. Harts take turns in this one window: their states are copied in and
 * out, so that every executor may use constant addresses.
 *
 *   0x000  X        33 × i64   x0..x31; slot 32 takes what is written to x0
 *   0x110  F        32 × i64   raw bits, NaN-boxed
 *   0x210  PC       i64        exact whenever the hart's own code runs
 *   0x218  ADDRESS  i64        mailbox: address of a slow access
 *   0x220  VALUE    i64        mailbox: value stored, or loaded and already extended
 *   0x228  OPERANDS 3 × i64    mailbox: operands of csr, perform, float
 *   0x240  BUDGET   i32        cycles left until DEADLINE; may go below zero by the last instruction's cost
 *   0x244  MODE     i32        V << 2 | privilege (U 0, S 1, M 3)
 *   0x248  DEADLINE f64        the cycle at which the run loop wants the hart back: now = DEADLINE - BUDGET
 *   0x250  STALLS   f64        cycles since reset in which no instruction retired: instret = now - STALLS
 *   0x258  RESERVATION i32     host offset reserved by lr, or -1 (bit 31 set: none)
 *   0x25c  FLOAT    i32        the FPU in the current mode: 0 off (mstatus.FS, or vsstatus.FS when V=1), 1 on, 2 on and dirty.
 *                              The hart sets it when MODE or FS changes and folds a 2 into FS when it reads FS;
 *                              an executor that writes F sets 2 (HartServices.float does so itself)
 *   0x260  TRANSIENT 64 bytes  executors' own
 *   0x300  CSR      i64 each   one slot a stored CSR, in the order of hw/spec/csrs
 *   0x1000 end
 */

export const X = 0x000
export const X_SINK = X + 32 * 8
export const F = 0x110
export const PC = 0x210
export const ADDRESS = 0x218
export const VALUE = 0x220
export const OPERANDS = 0x228
export const BUDGET = 0x240
export const MODE = 0x244
export const DEADLINE = 0x248
export const STALLS = 0x250
export const RESERVATION = 0x258
export const FLOAT = 0x25c
export const TRANSIENT = 0x260
export const CSR = 0x300
export const WINDOW_BYTES = 0x1000

export const USER = 0
export const SUPERVISOR = 1
export const MACHINE = 3
export const VIRTUAL = 4
