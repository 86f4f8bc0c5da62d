/** A thread that performs the measurements it is sent, one after the other. */
import { parentPort } from 'node:worker_threads'
import { attempt, type Measurement } from './measure-all.ts'

parentPort?.on('message', async (measurement: Measurement) => {
  parentPort?.postMessage(await attempt(measurement))
})
