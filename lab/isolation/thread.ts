/** A thread that tries promises, a share of scenarios at a time. */
import { parentPort, workerData } from 'node:worker_threads'
import { beginCoverage } from './coverage.ts'
import type { ShareDone, ThreadMessage } from './shares.ts'

const { covers } = workerData as { readonly covers: boolean }
const coverage = covers ? beginCoverage() : () => []
// What is loaded before coverage begins is not counted.
const { counted } = await import('./arena.ts')
const { campaign } = await import('./campaign.ts')
const { PROMISES } = await import('./promises/index.ts')

parentPort?.on('message', (message: ThreadMessage) => {
  if ('cover' in message) {
    parentPort?.postMessage(coverage())
    return
  }
  const { share } = message
  const promise = PROMISES.find(({ name }) => name === share.promise)
  if (!promise) throw new Error(`there is no promise "${share.promise}"`)
  counted.causes.clear()
  const done: ShareDone = { verdict: campaign(promise, share), causes: [...counted.causes] }
  parentPort?.postMessage(done)
})
