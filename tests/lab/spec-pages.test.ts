import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SPEC_PAGES } from '../../lab/spec-pages.ts'

test.each(Object.entries(SPEC_PAGES))(
  '%s is what node lab/generate-docs.ts makes of the declarations',
  (path, page) => {
    expect(
      readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8') === page(),
      'run node lab/generate-docs.ts',
    ).toBe(true)
  },
)
