/**
 * A warehouse as plain lists, written without a look at the real one and with the slowest way to everything: what the
 * real one must agree with. Instants are milliseconds, buckets are text.
 */
export interface ModelLine {
  readonly bucket: string;
  readonly units: bigint;
}

interface Posted extends ModelLine {
  readonly at: number;
}

export interface ModelMovement {
  readonly kind: string;
  readonly at: number;
  readonly lines: readonly ModelLine[];
  /** In pence, by the name of the rate. */
  readonly charges: ReadonlyMap<string, bigint>;
  reversed: boolean;
}

/** In pence and millionths of a pound. */
const prices = { cartonIn: 95n, unitOutMillionths: 13_333n, shipment: 250n, palletWeek: 390n };
export const unitsPerCarton = 12n;
export const cartonsPerPallet = 5n;

export class WarehouseModel {
  readonly movements: ModelMovement[] = [];
  readonly #lines: Posted[] = [];
  readonly #reserved = new Map<string, bigint>();

  onHand(bucket: string): bigint {
    return this.asOf(bucket, Number.POSITIVE_INFINITY);
  }

  reserved(bucket: string): bigint {
    return this.#reserved.get(bucket) ?? 0n;
  }

  available(bucket: string): bigint {
    return this.onHand(bucket) - this.reserved(bucket);
  }

  /** What had happened by that instant, itself included. */
  asOf(bucket: string, at: number): bigint {
    return sum(this.#lines.filter((line) => line.bucket === bucket && line.at <= at).map(({ units }) => units));
  }

  buckets(): string[] {
    return [...new Set(this.#lines.map(({ bucket }) => bucket))].toSorted();
  }

  /** Whether everything that the lines take can be taken then, without a moment since at which it would be missing. */
  allows(lines: readonly ModelLine[], at: number): boolean {
    const all = [...this.#lines, ...lines.map((line) => ({ ...line, at }))];
    return lines.every(({ bucket }) => {
      // Of what happens at one instant, what was recorded later comes later.
      const inOrder = all
        .map((line, order) => ({ ...line, order }))
        .filter((line) => line.bucket === bucket)
        .toSorted((one, other) => one.at - other.at || one.order - other.order);
      let balance = 0n;
      const never = inOrder.some(({ units }) => (balance += units) < 0n);
      return !never && balance >= this.reserved(bucket);
    });
  }

  /** `asked`: the units of each line of the request, which is what is charged; one line may be taken from several buckets. */
  post(
    kind: string,
    lines: readonly ModelLine[],
    at: number,
    asked: readonly bigint[] = lines.map(({ units }) => units),
  ): ModelMovement {
    this.#lines.push(...lines.map((line) => ({ ...line, at })));
    const movement = { kind, at, lines, charges: chargesOf(kind, asked), reversed: false };
    this.movements.push(movement);
    return movement;
  }

  reverse(movement: ModelMovement, at: number): ModelMovement {
    movement.reversed = true;
    const lines = movement.lines.map(({ bucket, units }) => ({ bucket, units: -units }));
    this.#lines.push(...lines.map((line) => ({ ...line, at })));
    const charges = new Map([...movement.charges].map(([name, pence]) => [name, -pence]));
    const reversal = { kind: 'REVERSAL', at, lines, charges, reversed: true };
    this.movements.push(reversal);
    return reversal;
  }

  reserve(bucket: string, units: bigint): void {
    this.#reserved.set(bucket, this.reserved(bucket) + units);
  }

  /** In pence, by the name of the rate. */
  charges(): Map<string, bigint> {
    const totals = new Map<string, bigint>();
    for (const { charges } of this.movements) {
      for (const [name, pence] of charges) totals.set(name, (totals.get(name) ?? 0n) + pence);
    }
    return new Map([...totals].filter(([, pence]) => pence !== 0n));
  }

  /**
   * What a lot's stock at the end of the day costs for the week, in pence; null when it was never received, so that nobody
   * said how it is stacked.
   */
  storage(lot: string, endOfDay: number): { readonly units: bigint; readonly pence: bigint | null } {
    const isOf = (bucket: string) => bucket.startsWith(`${lot} `);
    const units = sum(
      this.buckets()
        .filter(isOf)
        .map((bucket) => this.asOf(bucket, endOfDay - 1)),
    );
    const received = this.movements.some(
      ({ kind, lines }) => kind === 'RECEIVE' && lines.some((line) => isOf(line.bucket)),
    );
    if (units > 0n && !received) return { units, pence: null };
    return { units, pence: ceil(ceil(units, unitsPerCarton), cartonsPerPallet) * prices.palletWeek };
  }
}

function chargesOf(kind: string, asked: readonly bigint[]): Map<string, bigint> {
  const absolute = asked.map((units) => (units < 0n ? -units : units));
  if (kind === 'RECEIVE') {
    return new Map([['Carton in', sum(absolute.map((units) => ceil(units, unitsPerCarton) * prices.cartonIn))]]);
  }
  if (kind !== 'SHIP') return new Map();
  // Millionths of a pound, to the penny: half a penny goes up.
  const handling = absolute.map((units) => (units * prices.unitOutMillionths + 5_000n) / 10_000n);
  return new Map([
    ['Unit out', sum(handling)],
    ['Shipment', prices.shipment],
  ]);
}

function ceil(units: bigint, per: bigint): bigint {
  return (units + per - 1n) / per;
}

function sum(all: readonly bigint[]): bigint {
  return all.reduce((total, one) => total + one, 0n);
}
