import { Conflict, NotFound } from '@belay/platform';

export class SkuNotFound extends NotFound {
  readonly slug = 'sku-not-found';
  readonly title = 'There is no such SKU';

  constructor(sku: string) {
    super(`No SKU is ${sku}.`, { sku });
  }
}

export class LotNotFound extends NotFound {
  readonly slug = 'lot-not-found';
  readonly title = 'There is no such lot';

  constructor(lot: string) {
    super(`No lot is ${lot}.`, { lot });
  }
}

/** Stock is kept in units: with another number in a carton, every count of cartons so far would have been wrong. */
export class UnitsPerCartonFrozen extends Conflict {
  readonly slug = 'units-per-carton-frozen';
  readonly title = 'The lot was already counted in cartons';

  constructor(lot: string, unitsPerCarton: number) {
    super(`The lot ${lot} has postings in cartons of ${unitsPerCarton}; goods packed anew are another lot.`, {
      lot,
      unitsPerCarton,
    });
  }
}

export class LotTrackingFrozen extends Conflict {
  readonly slug = 'lot-tracking-frozen';
  readonly title = 'The SKU already has lots or stock';

  constructor(sku: string) {
    super(`Whether ${sku} has lots can be changed only before anything of it is there.`, { sku });
  }
}

export class PalletSpecNotFound extends NotFound {
  readonly slug = 'pallet-spec-not-found';
  readonly title = 'There is no such pallet specification';

  constructor(palletSpecId: string) {
    super('No pallet specification that you may see has this id.', { palletSpecId });
  }
}

export class PalletSpecOverlap extends Conflict {
  readonly slug = 'pallet-spec-overlap';
  readonly title = 'Another specification is valid then';

  constructor(period: { readonly effectiveFrom: string; readonly effectiveTo: string | null }) {
    super(`One is valid from ${period.effectiveFrom} to ${period.effectiveTo ?? 'further notice'}.`, { period });
  }
}

export class LotStockNotFound extends NotFound {
  readonly slug = 'lot-stock-not-found';
  readonly title = 'The lot was never there';

  constructor(warehouse: string, lotId: string) {
    super(`Nothing of the lot was ever received in ${warehouse}.`, { warehouse, lotId });
  }
}
