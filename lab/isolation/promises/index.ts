/** All that is promised. */
import type { IsolationPromise } from '../promise.ts'
import { disk } from './disk.ts'
import { memory } from './memory.ts'
import { network } from './network.ts'
import { registers } from './registers.ts'
import { residue } from './residue.ts'

export const PROMISES: readonly IsolationPromise[] = [memory, registers, disk, network, residue]
