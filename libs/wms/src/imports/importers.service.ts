import { Injectable } from '@nestjs/common';
import type { ImportKind } from './import.contract.js';
import type { Importer } from './importer.service.js';
import { InvoiceImport } from './invoice-import.service.js';
import { LedgerImport } from './ledger-import.service.js';
import { PalletSpecImport } from './pallet-spec-import.service.js';
import { RateImport } from './rate-import.service.js';
import { SkuImport } from './sku-import.service.js';

@Injectable()
export class Importers {
  readonly #byKind: Readonly<Record<ImportKind, Importer>>;

  constructor(
    skus: SkuImport,
    palletSpecs: PalletSpecImport,
    rates: RateImport,
    ledger: LedgerImport,
    invoices: InvoiceImport,
  ) {
    this.#byKind = {
      sku_master: skus,
      warehouse_config: palletSpecs,
      cost_master: rates,
      inventory_ledger: ledger,
      invoice: invoices,
    };
  }

  of(kind: ImportKind): Importer {
    return this.#byKind[kind];
  }
}
