import { randomUUID, randomUUIDv7 } from 'node:crypto';
import Fastify from 'fastify';
import pg from 'pg';
import { documentLines } from '../../../libs/wms/src/movements/lookup.queries.js';
import { postMovement } from '../../../libs/wms/src/movements/posting.queries.js';
import { idOrCodeOf, idsAndCodes } from '../../../libs/wms/src/wms.contract.js';

/**
 * The floor that postings are measured against: the two statements of a shipment, named, on a pool of the same size,
 * behind Fastify; nobody signs in, nothing is checked. Arguments: the database's URL, connections in the pool.
 */
const [, , url, connections] = process.argv;
const pool = new pg.Pool({ connectionString: url, max: Number(connections) });
const server = Fastify();
const account = randomUUID();

interface Body {
  readonly warehouse: string;
  readonly reference: string;
  readonly shipMode: string;
  readonly lines: {
    readonly sku: string;
    readonly lot: string;
    readonly location: string;
    readonly looseUnits: number;
  }[];
}

server.post<{ Body: Body }>('/api/wms/movements/ship', async ({ body, headers }, reply) => {
  const { lines, reference, shipMode } = body;
  const [id, code] = idOrCodeOf(body.warehouse);
  const found = await documentLines(pool, [
    id,
    ...idsAndCodes(lines.map(({ sku }) => sku)),
    ...idsAndCodes(lines.map(({ lot }) => lot)),
    ...idsAndCodes(lines.map(({ location }) => location)),
    false,
    null,
    lines.map(() => 'available'),
    true,
    'SHIP',
    reference,
    code,
  ]);
  const warehouse = found[0]?.document?.warehouse;
  if (!warehouse) throw new Error('no warehouse');
  const movement = randomUUIDv7();
  const answer = {
    id: movement,
    reference,
    lines: found.map(({ sku, lot, location }, index) => ({ lineNo: index + 1, sku, lot, location })),
  };
  const none = lines.map(() => null);
  const [posted] = await postMovement(pool, [
    account,
    movement,
    '',
    found.map(({ location }) => location?.id),
    found.map(({ sku }) => sku?.id),
    found.map(({ lot }) => lot?.id),
    lines.map(() => 'available'),
    lines.map(({ looseUnits }) => -looseUnits),
    none,
    none,
    null,
    warehouse.id,
    warehouse.code,
    warehouse.timezone,
    'SHIP',
    'SHP',
    movement,
    null,
    reference,
    null,
    null,
    null,
    shipMode,
    null,
    null,
    null,
    false,
    null,
    [],
    [],
    [],
    ['wms.movement.posted'],
    JSON.stringify(answer),
    account,
    headers['idempotency-key'],
    'POST /api/wms/movements/ship',
    'wms',
    'hash',
    '[]',
    [],
    [],
    null,
  ]);
  reply.status(201);
  return { ...answer, ...posted };
});

process.send?.({ url: await server.listen({ host: '127.0.0.1', port: 0 }) });
process.on('disconnect', () => process.exit(0));
