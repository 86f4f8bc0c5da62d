/**
 * RISC-V instructions that TypeScript software has computed since the last port operation. The counting transform
 * (lab/counting) adds to it, every port operation drains it to the running hart's clock. One for the whole process:
 * entries never overlap in time, since a nested run of another hart begins and ends inside a port operation. Beside it,
 * the number in the software's text of the last of these instructions; and 1 while an entry of a traced build runs, whose
 * functions take more (else 0).
 */
export const pathLength = new Int32Array(3)
