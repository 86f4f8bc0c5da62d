/** A thread that tries faults, one placement after the other. */
import { parentPort } from 'node:worker_threads'
import { attemptFaults, type FaultTask } from './study.ts'

parentPort?.on('message', async (task: FaultTask) => {
  parentPort?.postMessage(await attemptFaults(task))
})
