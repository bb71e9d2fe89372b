/** The largest quantity that JSON can carry exactly; the database refuses larger ones. */
export const MOST_UNITS = 2n ** 53n - 1n;

export interface Cartons {
  readonly full: bigint;
  /** What is left over in a carton that was opened. */
  readonly loose: bigint;
  /** Cartons as they take up room: an opened one takes the room of a full one. */
  readonly equivalents: bigint;
}

/** The base units of so many cartons and loose pieces. */
export function unitsOf(cartons: bigint, looseUnits: bigint, unitsPerCarton: bigint): bigint {
  return cartons * positive(unitsPerCarton) + looseUnits;
}

export function cartonsOf(units: bigint, unitsPerCarton: bigint): Cartons {
  const full = notNegative(units) / positive(unitsPerCarton);
  const loose = units % unitsPerCarton;
  return { full, loose, equivalents: loose === 0n ? full : full + 1n };
}

/** Every pallet that is begun counts. */
export function palletsOf(cartons: bigint, cartonsPerPallet: bigint): bigint {
  return (notNegative(cartons) + positive(cartonsPerPallet) - 1n) / cartonsPerPallet;
}

function positive(count: bigint): bigint {
  if (count <= 0n) throw new RangeError(`${count.toString()} per package cannot be counted with`);
  return count;
}

function notNegative(count: bigint): bigint {
  if (count < 0n) throw new RangeError(`There cannot be ${count.toString()} of something`);
  return count;
}
