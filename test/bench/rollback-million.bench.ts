/** The way back of a module with a million rows in its ledger. */
import { fillWarehouse, lastDays } from './million-lines.js';
import { measureWayBack } from './way-back.js';

await measureWayBack(({ database }) => fillWarehouse(database, lastDays));
