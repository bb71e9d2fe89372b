import { Injectable } from '@nestjs/common';
import { Database, type Caller, type Executor } from '@belay/platform';
import { Money, Qty, Rate } from '../money.rules.js';
import type { OtherRate } from '../rates/rate.contract.js';
import { billingPeriod } from '../storage/storage-calendar.rules.js';
import { WarehouseScope } from '../warehouses/warehouse-scope.service.js';
import { movementsOfDays, type ChargeableRow } from './catch-up.queries.js';
import { eventSheet } from './charge.queries.js';
import { sheetRate } from './charge-row.rules.js';
import { NoPalletTier, priceEvent, type ChargeCategory, type EventCharge, type SheetRate } from './charge.rules.js';
import { eventOf } from './charge-catch-up.service.js';
import type { PriceCheck, PriceCheckRequest } from './cost.contract.js';
import { chargedInPeriod, storageRates, storedPallets } from './cost.queries.js';

const BATCH = 500;

interface Sum {
  readonly category: ChargeCategory;
  readonly name: string;
  quantity: Qty;
  charged: Money;
  amount: Money;
  unrated: number;
}

/** What a period would have cost at other prices. Nothing is written. */
@Injectable()
export class PriceCheckService {
  constructor(
    private readonly database: Database,
    private readonly scope: WarehouseScope,
  ) {}

  async check(by: Caller, { warehouse, period, rates }: PriceCheckRequest): Promise<PriceCheck> {
    const on = this.database.dataSource;
    const { id, currency, billingCycleStartDay } = await this.scope.seen(on, by, 'wms.cost:read', warehouse);
    const span = billingPeriod(period, billingCycleStartDay);
    const sums = new Sums(currency);
    for (const { category, name, quantity, amount, isPriced } of await chargedInPeriod(on, [id, period])) {
      const sum = sums.of(category, name);
      sum.charged = sum.charged.plus(Money.parse(amount, currency));
      // What is not priced again stays what it is.
      if (!isPriced) sums.add(category, name, Qty.parse(quantity), Money.parse(amount, currency));
    }
    await this.priceEvents(on, id, span, rates, currency, sums);
    await this.priceStorage(on, id, period, rates, currency, sums);
    return { period: span, currency, ...sums.view() };
  }

  private async priceEvents(
    on: Executor,
    id: string,
    { start, end }: { start: string; end: string },
    rates: readonly OtherRate[],
    currency: string,
    sums: Sums,
  ): Promise<void> {
    const [kept] = await eventSheet(on, [id]);
    const replaced = new Set<string>(rates.map(({ basis }) => basis));
    const sheet = [
      ...(kept?.sheet ?? []).map(sheetRate).filter(({ basis }) => !replaced.has(basis)),
      ...rates.map((rate, index) => sheetRateOf(rate, index, currency)),
    ];
    const containers = new Set<string>();
    let after: readonly [string | null, string | null] = [null, null];
    for (;;) {
      const rows: ChargeableRow[] = await movementsOfDays(on, [id, ...after, BATCH, start, end]);
      for (const row of rows) {
        const container = row.kind === 'RECEIVE' ? row.containerNumber : null;
        for (const charge of pricesOf(row, container !== null && containers.has(container), sheet))
          sums.addCharge(charge);
        if (container !== null) containers.add(container);
      }
      const last = rows.at(-1);
      if (!last || rows.length < BATCH) return;
      after = [last.at, last.id];
    }
  }

  private async priceStorage(
    on: Executor,
    id: string,
    period: string,
    rates: readonly OtherRate[],
    currency: string,
    sums: Sums,
  ): Promise<void> {
    const others = rates.filter(({ basis }) => basis === 'pallet_week');
    const prices = others.length > 0 ? others : await storageRates(on, [id]);
    for (const { day, pallets } of await storedPallets(on, [id, period])) {
      const rate = prices.find(({ effectiveFrom, effectiveTo }) => effectiveFrom <= day && (effectiveTo ?? day) >= day);
      if (!rate || pallets === null) {
        sums.of('Storage', rate?.name ?? prices[0]?.name ?? 'Storage').unrated += 1;
        continue;
      }
      const quantity = Qty.parse(pallets);
      sums.add('Storage', rate.name, quantity, Rate.parse(rate.value, currency).times(quantity));
    }
  }
}

class Sums {
  readonly #sums = new Map<string, Sum>();

  constructor(private readonly currency: string) {}

  of(category: ChargeCategory, name: string): Sum {
    const key = JSON.stringify([category, name.toLowerCase()]);
    const nothing = Money.zero(this.currency);
    const sum = this.#sums.get(key) ?? {
      category,
      name,
      quantity: Qty.of(0n),
      charged: nothing,
      amount: nothing,
      unrated: 0,
    };
    this.#sums.set(key, sum);
    return sum;
  }

  add(category: ChargeCategory, name: string, quantity: Qty, amount: Money): void {
    const sum = this.of(category, name);
    sum.quantity = Qty.sum([sum.quantity, quantity]);
    sum.amount = sum.amount.plus(amount);
  }

  addCharge({ category, name, quantity, amount }: EventCharge): void {
    if (amount === null) this.of(category, name).unrated += 1;
    else this.add(category, name, quantity, amount);
  }

  view(): Pick<PriceCheck, 'charged' | 'total' | 'difference' | 'items'> {
    const all = [...this.#sums.values()];
    const charged = Money.sum(
      all.map((sum) => sum.charged),
      this.currency,
    );
    const total = Money.sum(
      all.map((sum) => sum.amount),
      this.currency,
    );
    const items = all.map(({ category, name, quantity, charged: before, amount, unrated }) => ({
      category,
      name,
      quantity: quantity.toString(),
      charged: before.toString(),
      amount: amount.toString(),
      difference: amount.minus(before).toString(),
      unrated,
    }));
    return {
      charged: charged.toString(),
      total: total.toString(),
      difference: total.minus(charged).toString(),
      items: items.toSorted((one, other) =>
        `${one.category} ${one.name}` < `${other.category} ${other.name}` ? -1 : 1,
      ),
    };
  }
}

function pricesOf(row: ChargeableRow, containerCharged: boolean, sheet: readonly SheetRate[]): EventCharge[] {
  try {
    return priceEvent(eventOf(row, containerCharged), sheet);
  } catch (error) {
    if (error instanceof NoPalletTier) return [];
    throw error;
  }
}

function sheetRateOf(rate: OtherRate, index: number, currency: string): SheetRate {
  const { category, name, basis, params, effectiveFrom: from, effectiveTo: to } = rate;
  return { id: `other ${index}`, category, name, basis, value: Rate.parse(rate.value, currency), params, from, to };
}
