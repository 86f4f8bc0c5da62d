/** A thread that tries faults, one piece after the other. */
import { parentPort } from 'node:worker_threads'
import { attemptFaults } from './study.ts'
import type { TrialPlan } from './trials.ts'

parentPort?.on('message', async (plan: TrialPlan) => {
  parentPort?.postMessage(await attemptFaults(plan))
})
