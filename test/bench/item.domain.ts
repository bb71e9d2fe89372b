import { Body, Controller, Get, Module, Param, Post } from '@nestjs/common';
import { By, Caller, Database, Endpoint, NotFound, Requires, statement, type Domain } from '@belay/platform';
import type pg from 'pg';
import { z } from 'zod';
import { insertItem, readItem, type ItemRow } from './item.sql.js';

/** The smallest domain there can be, gated like any other: what is left of a request when the business is one row. */
const itemView = z
  .object({
    id: z.uuid(),
    code: z.string(),
    title: z.string(),
    quantity: z.int(),
    createdAt: z.iso.datetime(),
    rowVersion: z.int(),
  })
  .meta({ id: 'Item' });
type ItemView = z.infer<typeof itemView>;

const newItem = z
  .strictObject({
    code: z.string().regex(/^[A-Z]{2,5}-\d{1,9}$/),
    title: z.string().trim().min(3).max(200),
    quantity: z.int().min(0).max(1_000_000),
  })
  .meta({ id: 'NewItem' });
type NewItem = z.infer<typeof newItem>;

const itemId = z.object({ id: z.uuid() });
type ItemId = z.infer<typeof itemId>;

const read = statement<ItemRow>('bench.read_item', readItem);
const insert = statement<ItemRow>('bench.insert_item', insertItem);

class ItemNotFound extends NotFound {
  readonly slug = 'item-not-found';
  readonly title = 'No such item';

  constructor(id: string) {
    super(`There is no item ${id}.`, { id });
  }
}

@Controller('bench/items')
class ItemController {
  constructor(private readonly database: Database) {}

  @Get(':id')
  @Requires('bench.item:read')
  @Endpoint('Read an item', { returns: itemView })
  async read(@Param({ schema: itemId }) { id }: ItemId): Promise<ItemView> {
    const [row] = await read(this.database.dataSource, [id]);
    if (!row) throw new ItemNotFound(id);
    return view(row);
  }

  @Post()
  @Requires('bench.item:write')
  @Endpoint('Add an item', { status: 201, returns: itemView })
  async add(@By() by: Caller, @Body({ schema: newItem }) item: NewItem): Promise<ItemView> {
    const [row] = await insert(this.database.dataSource, [item.code, item.title, item.quantity, by.accountId]);
    if (!row) throw new Error('An insert returns its row');
    return view(row);
  }
}

function view({ created_at, row_version, ...row }: ItemRow): ItemView {
  return { ...row, createdAt: created_at.toISOString(), rowVersion: row_version };
}

@Module({ controllers: [ItemController] })
class ItemModule {}

export const bench: Domain = {
  name: 'bench',
  title: 'Benchmark',
  flag: 'enable_bench',
  after: ['directory'],
  features: [],
  module: ItemModule,
};

/** Makes the table with so many rows; answers the id of one of them. */
export async function createItems(client: pg.Client, rows: number): Promise<string> {
  await client.query(`
    CREATE SCHEMA bench;
    CREATE TABLE bench.item (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(), code text NOT NULL, title text NOT NULL, quantity integer NOT NULL,
      created_by uuid, created_at timestamptz NOT NULL DEFAULT clock_timestamp(), row_version integer NOT NULL DEFAULT 1);
    INSERT INTO bench.item (code, title, quantity) SELECT 'IT-' || n, 'Item number ' || n, n FROM generate_series(1, ${rows}) n`);
  const { rows: found } = await client.query<{ id: string }>('SELECT id FROM bench.item LIMIT 1');
  const [item] = found;
  if (!item) throw new Error('The table has no row');
  return item.id;
}
