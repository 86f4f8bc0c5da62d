import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    include: ['tests/**/*.test.ts'],
    setupFiles: ['tests/set-up.ts'],
    experimental: { viteModuleRunner: false },
    testTimeout: 120_000,
    slowTestThreshold: 5_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
