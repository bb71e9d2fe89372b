import type { Device } from '../production.command.js';

/** What a request says of the device it comes from. */
interface GivenDevice {
  readonly id?: string | undefined;
  readonly seq?: number | undefined;
  readonly time?: string | undefined;
}

const MOST_SKEW = 5 * 60_000;

/** The device as a command knows it. */
export function deviceOf(given: GivenDevice | undefined): Device | undefined {
  if (given === undefined) return undefined;
  return { seq: given.seq, time: given.time === undefined ? undefined : new Date(given.time) };
}

/** What whoever holds the device should know of its clock; the time of the server counts. */
export function clockWarnings(at: Date, device: Device | undefined): 'clock-skew'[] {
  const skew = device?.time ? Math.abs(at.getTime() - device.time.getTime()) : 0;
  return skew > MOST_SKEW ? ['clock-skew'] : [];
}
