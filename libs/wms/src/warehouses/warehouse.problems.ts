import { Conflict, NotFound } from '@belay/platform';

export class WarehouseNotFound extends NotFound {
  readonly slug = 'warehouse-not-found';
  readonly title = 'There is no such warehouse';

  constructor(warehouse: string) {
    super(`No warehouse that you may see is ${warehouse}.`, { warehouse });
  }
}

/** What is no longer in use takes part in nothing new. */
export class InactiveMasterData extends Conflict {
  readonly slug = 'inactive-master-data';
  readonly title = 'No longer in use';

  constructor(what: 'site' | 'warehouse' | 'location' | 'sku', code: string) {
    super(`The ${what} ${code} is not active.`, { what, code });
  }
}

export class MasterCodeTaken extends Conflict {
  readonly slug = 'master-code-taken';
  readonly title = 'The code is taken';

  constructor(what: 'warehouse' | 'location' | 'sku' | 'lot', code: string) {
    super(`Another ${what} has the code ${code}.`, { what, code });
  }
}

export class StillInStock extends Conflict {
  readonly slug = 'still-in-stock';
  readonly title = 'There is still stock of it';

  constructor(what: 'warehouse' | 'location' | 'sku', code: string, units: string) {
    super(`The ${what} ${code} still has ${units} units, which nobody could move any more.`, { what, code, units });
  }
}

export class BillingTermsFrozen extends Conflict {
  readonly slug = 'billing-terms-frozen';
  readonly title = 'Costs were worked out by these terms';

  constructor(terms: readonly string[]) {
    super('The warehouse has costs or invoices, which would mean something else by other terms.', { terms });
  }
}
