import { assignment } from '@belay/assignment';
import { directory } from '@belay/directory';
import { readConfig } from '@belay/platform';
import { production } from '@belay/production';
import { startApi } from '../../../apps/api/src/api.js';

const { url } = await startApi({ config: readConfig(), domains: [directory, production, assignment] });
process.send?.({ url });
process.on('disconnect', () => process.exit(0));
