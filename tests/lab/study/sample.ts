/** Results that nobody has measured. */
import type { Result, ResultRow } from '../../../lab/study/measure.ts'

export function sample(part: Partial<Result>): Result {
  const { value = 100, ledger = [row({ cycles: value })] } = part
  return {
    workload: 'hypercall',
    configuration: 'bare',
    seed: 1,
    value,
    unit: 'cycles per call',
    core: 'Rocket',
    model: 'flat',
    harts: 1,
    instructions: 1,
    cycles: ledger.reduce((sum, { cycles }) => sum + cycles, 0),
    ledger,
    configurationHash: '',
    traceHash: '',
    ...part,
  }
}

export function row(part: Partial<ResultRow>): ResultRow {
  return { hart: 0, party: 'guest', cause: 'running', activity: 'computing', cycles: 1, ...part }
}
