import { directory } from '@belay/directory';
import { readConfig } from '@belay/platform';
import { startApi } from '../../../apps/api/src/api.js';
import { bench } from '../item.domain.js';

const { url } = await startApi({ config: readConfig(), domains: [directory, bench] });
process.send?.({ url });
process.on('disconnect', () => process.exit(0));
