/** docs/isolation-bugs.md: the library as a table. */
import { AREAS, BUGS } from './index.ts'

export function bugsPage(): string {
  const caught = BUGS.filter(({ seed }) => seed > 0)
  const within = (most: number) => caught.filter(({ seed }) => seed <= most).length
  const lines = [
    '# Planted bugs',
    '',
    'Each is a change of the source, as text, and like a real bug of another hypervisor. [How to plant one](how-to-plant-a-bug.md).',
    '',
    `${BUGS.length} bugs can be planted (\`npx barehart isolate --bug NAME\`). ${caught.length} of them are caught by the promise named; ${within(1)} by its first scenario,`,
    `${within(10)} within 10, ${within(100)} within 100. Scenarios are counted from seed 1, one a seed; \`tests/isolation/caught.test.ts\` runs the last of each of those within 60.`,
    '`node lab/generate-docs.ts` writes this page.',
  ]
  for (const area of AREAS) {
    const bugs = BUGS.filter(bug => bug.area === area)
    if (bugs.length === 0) continue
    lines.push('', `## ${area[0].toUpperCase()}${area.slice(1)}`, '')
    lines.push('| Bug | Models | Difference | Promise | Scenarios |', '|---|---|---|---|---|')
    for (const { name, models, difference, promise, seed } of bugs)
      lines.push(`| \`${name}\` | ${models} | ${difference} | ${promise} | ${seed === 0 ? 'not caught' : seed} |`)
  }
  return `${lines.join('\n')}\n`
}
