/** Takes a saved machine from standard input, runs it to its end, and prints what came of it. */
import { readFileSync } from 'node:fs'
import { deserialize } from 'node:v8'
import type { MachineState } from '../../../hw/index.ts'
import { preempted } from './preemption.ts'

const { machine, at, run } = preempted(25)
machine.restore(deserialize(readFileSync(0)) as MachineState)
run()
console.log(
  JSON.stringify({ hash: machine.traceHash(), results: [at('turns'), at('result'), at('result', 1), at('result', 2)] }),
)
