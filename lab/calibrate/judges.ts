/** Who judges, in the order of the tables. */
import type { Judge } from './calibration.ts'
import { kvmJudge } from './kvm-judge.ts'
import { linuxJudge } from './linux-judge.ts'
import { type1Judge } from './type-1-judge.ts'

export const JUDGES: readonly Judge[] = [kvmJudge, linuxJudge, type1Judge]
