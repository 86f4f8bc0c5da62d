/** A thread that measures placements, one after the other. */
import { parentPort } from 'node:worker_threads'
import { attempt, type PlaceTask } from './study.ts'

parentPort?.on('message', async (task: PlaceTask) => {
  parentPort?.postMessage(await attempt(task))
})
