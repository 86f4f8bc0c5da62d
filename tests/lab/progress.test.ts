import { expect, test } from 'vitest'
import { timeLeft } from '../../lab/progress.ts'

test('the time left is told once some of it has been done, if it is worth telling', () => {
  expect(timeLeft(30, 10, 30)).toBe('60 s left, ')
  expect(timeLeft(60, 10, 110)).toBe('10 min left, ')
  expect([timeLeft(30, 3, 300), timeLeft(30, 0, 300), timeLeft(30, 29, 30)]).toEqual(['', '', ''])
})
