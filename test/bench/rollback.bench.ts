/** The way back at the size of a real warehouse: 110,000 lines, as its movements make them. */
import { fillLedger } from '../rollback/main-job.js';
import { Stockroom } from '../wms/stockroom.js';
import { measureWayBack } from './way-back.js';

const [movements, linesOfEach] = [1_000, 110];

await measureWayBack(async ({ url }) => {
  const stock = await Stockroom.within(url);
  await fillLedger(stock, movements, linesOfEach);
  await stock.close();
});
