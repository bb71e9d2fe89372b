import { actAsRun, Database, Outbox, type RecoveryContext, type RecoveryMarker } from '@belay/platform';
import { InvoiceStates } from '../invoices/invoice-states.service.js';
import { invoiceById } from '../invoices/invoice.queries.js';
import { runReconciliation, stateOf } from '../invoices/recon-engine.service.js';
import { StorageRun } from '../storage/storage-run.service.js';
import { lockStorage, newlyDueStorageDays } from '../storage/storage.queries.js';
import { allWarehouses, markAllDirty, openInvoices, schema } from './recovery.queries.js';
import { rebuildReserved } from './standing-movement.queries.js';

/** What follows from other rows is worked out again, whichever way these came back. */
export async function afterRestore(
  context: RecoveryContext,
  { at }: Pick<RecoveryMarker, 'at'>,
): Promise<Readonly<Record<string, number>>> {
  const { tx, actor, signal } = context;
  await actAsRun(context);
  const promises = await rebuildReserved(tx, [false]);
  const dirty = await markAllDirty(tx, [at]);

  const database = new Database(tx.dataSource);
  const outbox = new Outbox(database);
  const storage = new StorageRun(database, outbox);
  let settled = 0;
  for (const { id } of await allWarehouses(tx, [])) {
    signal.throwIfAborted();
    const [lock] = await lockStorage(tx, [id]);
    // Whoever has the lock finds the lots dirty, now or in the next hour.
    if (lock?.locked !== true) continue;
    await storage.settleDoubt(tx, id);
    // What was due before is as it was then, and the next hour's.
    for (const { day } of await newlyDueStorageDays(tx, [[id], at])) await storage.runDay(tx, id, day);
    settled += 1;
  }

  const states = new InvoiceStates(outbox);
  const invoices = await openInvoices(tx, []);
  for (const { id } of invoices) {
    signal.throwIfAborted();
    const [invoice] = await invoiceById(tx, [id]);
    if (!invoice) continue;
    await runReconciliation(tx, actor, invoice);
    await states.turn(tx, invoice, await stateOf(tx, invoice));
  }
  const answersForgotten = await schema.forgetKeysSince(tx, at);
  return {
    promisesRebuilt: promises.length,
    lotsInDoubt: dirty.length,
    warehousesSettled: settled,
    invoicesReconciled: invoices.length,
    answersForgotten,
  };
}
