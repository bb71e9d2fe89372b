import { directory } from '@belay/directory';
import { readConfig } from '@belay/platform';
import { wms } from '@belay/wms';
import { startApi } from '../../../apps/api/src/api.js';

const { url } = await startApi({ config: readConfig(), domains: [directory, wms] });
process.send?.({ url });
process.on('disconnect', () => process.exit(0));
