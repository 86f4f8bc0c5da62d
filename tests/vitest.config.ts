import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    include: ['tests/**/*.test.ts'],
    setupFiles: ['tests/set-up.ts'],
    experimental: { viteModuleRunner: false },
    testTimeout: 120_000,
    slowTestThreshold: 5_000,
    // What runs on simulated harts is counted as it is loaded.
    execArgv: ['--import', new URL('../lab/counting/register.ts', import.meta.url).href],
    pool: 'forks',
    maxWorkers: 2,
  },
})
