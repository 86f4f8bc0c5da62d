/**
 * UDP services of the laboratory's station (hw/devices/station.ts), for those who talk to it. Words are in network order.
 *
 * - echo (RFC 862): what comes goes back.
 * - discard (RFC 863): what comes is counted. A datagram whose first word is `ASK` or more is answered with the count.
 * - load: the station becomes a client. A datagram of the words `LOAD`, bytes, count, outstanding asks for so many
 *   datagrams of so many bytes, as many of them at once as may be outstanding; each begins with its number, from 0. One
 *   of the words `CREDIT`, n says that n of them are answered: so many more come. What stands behind is not looked at.
 */
export const STATION_PORT = { echo: 7, discard: 9, load: 4790 } as const

export const ASK = 0x8000_0000
export const LOAD = 1
export const CREDIT = 2
