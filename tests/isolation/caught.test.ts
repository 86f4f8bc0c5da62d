/** Each bug of the library, planted, is caught: one half of them. */
import { testBugs } from './soon-caught.ts'

testBugs(0)
