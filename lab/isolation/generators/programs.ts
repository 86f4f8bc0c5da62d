/** Programs: of guests that are watched, and of those that mean harm. */
import fc from 'fast-check'
import type { Program, Step } from '../scenario.ts'
import {
  anyCall,
  anyCsr,
  anyInstruction,
  anyLoad,
  anyStore,
  enabledAccess,
  harmlessCall,
  ownStore,
  question,
  registersAround,
  sleep,
  timelessInstruction,
  timelessRead,
  translated,
  userInstruction,
  work,
} from './steps.ts'

const one = (step: fc.Arbitrary<Step>): fc.Arbitrary<readonly Step[]> => step.map(each => [each])

const repeated = (step: fc.Arbitrary<Step>, most: number): fc.Arbitrary<readonly Step[]> =>
  fc
    .tuple(fc.integer({ min: 2, max: most }), fc.array(step, { minLength: 1, maxLength: 3 }))
    .map(([times, steps]) => [{ op: 'repeat', times, steps }])

function programOf(parts: fc.Arbitrary<readonly Step[]>, most: number): fc.Arbitrary<Program> {
  return fc.array(parts, { minLength: 1, maxLength: most }).map(steps => steps.flat())
}

/** Reads no counter, takes interrupts only while it waits, and goes on to its end: what it sees depends on nobody else. */
export const watched: fc.Arbitrary<Program> = programOf(
  fc.oneof(
    { weight: 3, arbitrary: one(anyLoad) },
    { weight: 2, arbitrary: one(ownStore) },
    { weight: 2, arbitrary: one(harmlessCall) },
    { weight: 2, arbitrary: one(timelessInstruction) },
    { weight: 1, arbitrary: one(timelessRead) },
    { weight: 1, arbitrary: one(work) },
    { weight: 1, arbitrary: one(sleep) },
    { weight: 1, arbitrary: one(userInstruction) },
    { weight: 1, arbitrary: enabledAccess },
    { weight: 1, arbitrary: translated },
    { weight: 2, arbitrary: registersAround(fc.oneof(question, sleep, work, anyLoad)) },
    { weight: 3, arbitrary: repeated(fc.oneof(question, anyLoad), 160) },
  ),
  20,
)

/** Anything. */
export const hostile: fc.Arbitrary<Program> = programOf(
  fc.oneof(
    { weight: 3, arbitrary: one(anyLoad) },
    { weight: 3, arbitrary: one(anyStore) },
    { weight: 3, arbitrary: one(anyCall) },
    { weight: 3, arbitrary: one(anyInstruction) },
    { weight: 2, arbitrary: one(anyCsr) },
    { weight: 1, arbitrary: one(work) },
    { weight: 1, arbitrary: one(sleep) },
    { weight: 1, arbitrary: one(userInstruction) },
    { weight: 1, arbitrary: enabledAccess },
    { weight: 1, arbitrary: translated },
    { weight: 1, arbitrary: registersAround(fc.oneof(question, sleep)) },
    { weight: 3, arbitrary: repeated(fc.oneof(question, anyLoad, anyStore, harmlessCall), 160) },
  ),
  20,
)

/** Nothing at all. */
export const silent: Program = []
