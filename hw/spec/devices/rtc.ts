/** The Goldfish real-time clock: nanoseconds since 1970, and one alarm. Names of Android's goldfish-rtc documentation. */
import { registers } from '../registers.ts'

export const rtc = registers({
  /** Reading it latches the high half, so read it first. */
  TIME_LOW: { at: 0x00, width: 32, access: 'rw', spec: 'goldfish RTC' },
  TIME_HIGH: { at: 0x04, width: 32, access: 'rw', spec: 'goldfish RTC' },
  /** Writing it sets the alarm, so write it last. */
  ALARM_LOW: { at: 0x08, width: 32, access: 'rw', spec: 'goldfish RTC' },
  ALARM_HIGH: { at: 0x0c, width: 32, access: 'rw', spec: 'goldfish RTC' },
  IRQ_ENABLED: { at: 0x10, width: 32, access: 'rw', spec: 'goldfish RTC', fields: { ENABLE: 0 } },
  CLEAR_ALARM: { at: 0x14, width: 32, access: 'wo', spec: 'goldfish RTC' },
  ALARM_STATUS: { at: 0x18, width: 32, access: 'ro', spec: 'goldfish RTC', fields: { ARMED: 0 } },
  CLEAR_INTERRUPT: { at: 0x1c, width: 32, access: 'wo', spec: 'goldfish RTC' },
})
