/** Takes up a machine saved by another process (standard input), and prints how it went on. */
import { readFileSync } from 'node:fs'
import { deserialize } from 'node:v8'
import { WORKLOADS } from '../../guests/index.ts'
import type { MachineState } from '../../hw/index.ts'
import type { Configuration } from '../../lab/system.ts'
import { finish, workloadMachine } from './workload-system.ts'

const [name, configuration] = process.argv.slice(2)
const machine = workloadMachine(WORKLOADS.find(workload => workload.name === name)!, configuration as Configuration)
machine.restore(deserialize(readFileSync(0)) as MachineState)
console.log(JSON.stringify(finish(machine)))
