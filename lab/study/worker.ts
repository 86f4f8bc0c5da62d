/** Threads that do one thing after the other, as they are sent it. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** Gives `work` a thread that runs `script`, which answers each message with one. */
export async function inThread<Task, Outcome>(
  script: URL,
  work: (perform: (task: Task) => Promise<Outcome>) => Promise<void>,
): Promise<void> {
  const worker = new Worker(script, { execArgv: [...counting()] })
  try {
    await work(async task => {
      worker.postMessage(task)
      const [outcome] = (await once(worker, 'message')) as [Outcome]
      return outcome
    })
  } finally {
    await worker.terminate()
  }
}

/** Sources are counted as they are loaded, in each thread anew; what was packed is counted already. */
function counting(): readonly string[] {
  return import.meta.url.endsWith('.ts') ? ['--import', new URL('../counting/register.ts', import.meta.url).href] : []
}
