import { Injectable } from '@nestjs/common';
import { Database, type Caller, type Executor } from '@belay/platform';
import { Money, Qty } from '../money.rules.js';
import { billingPeriod } from '../storage/storage-calendar.rules.js';
import { WarehouseScope } from '../warehouses/warehouse-scope.service.js';
import type { CostQuestion, CostView } from './cost.contract.js';
import { costsByCategory, costsByMonth, costsByName, costsBySku, costsByWeek } from './cost.queries.js';

/** What a warehouse is expected to bill. */
@Injectable()
export class CostService {
  constructor(
    private readonly database: Database,
    private readonly scope: WarehouseScope,
  ) {}

  async costs(by: Caller, { warehouse, period, from, to, groupBy }: CostQuestion): Promise<CostView> {
    const on = this.database.dataSource;
    const { id, currency, billingCycleStartDay } = await this.scope.seen(on, by, 'wms.cost:read', warehouse);
    const span =
      period === undefined ? { start: from ?? '', end: to ?? '' } : billingPeriod(period, billingCycleStartDay);
    const rows = await asked[groupBy](on, [id, period ?? null, from ?? null, to ?? null]);
    const items = rows.map(({ amount, quantity, ...facts }) => ({
      ...facts,
      amount: Money.parse(amount, currency).toString(),
      ...(groupBy === 'name' && { quantity: Qty.parse(quantity).toString() }),
    }));
    const total = Money.sum(
      items.map(({ amount }) => Money.parse(amount, currency)),
      currency,
    );
    return { period: span, currency, total: total.toString(), items };
  }
}

type Facts = Omit<CostView['items'][number], 'quantity'> & { readonly quantity: string };

const asked: Readonly<Record<CostQuestion['groupBy'], (on: Executor, values: readonly unknown[]) => Promise<Facts[]>>> =
  {
    category: costsByCategory,
    name: costsByName,
    sku: costsBySku,
    week: costsByWeek,
    month: costsByMonth,
  };
