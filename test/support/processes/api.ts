import { readConfig } from '@belay/platform';
import { directory } from '@belay/directory';
import { startApi } from '../../../apps/api/src/api.js';
import { beacon } from '../domains/beacon.js';
import { gauge } from '../domains/gauge.js';
import { probe } from '../domains/probe.js';

/** An API process with gated domains: tells its address, and the moment at which a flag's mode changes here. */
const api = await startApi({ config: readConfig(), domains: [directory, beacon, probe, gauge] });
const { gate } = api.runtime;
const flags = ['enable_probe', 'probe_export'];
let modes = flags.map((flag) => gate.explain(flag).mode);

gate.onChange(() => {
  const at = performance.timeOrigin + performance.now();
  const now = flags.map((flag) => gate.explain(flag).mode);
  for (const [index, flag] of flags.entries()) {
    if (now[index] !== modes[index]) process.send?.({ flag, mode: now[index], at });
  }
  modes = now;
});
process.once('disconnect', () => void api.close().then(() => process.exit(0)));
process.send?.({ url: api.url, processId: api.runtime.processId });
