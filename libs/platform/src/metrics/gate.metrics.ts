import type { Domain } from '../domain/domain.js';
import type { Gate } from '../domain/gate.js';
import { modes } from '../flags/mode.js';
import type { Overlay } from '../flags/overlay.js';
import { registeredFlags } from '../flags/registry.js';
import type { Metrics } from './metrics.js';

/** Shows what is on and off here, and which override was the last to be heard of. */
export function watchGate(metrics: Metrics, domains: readonly Domain[], gate: Gate, overlay: Overlay): void {
  const flags = registeredFlags(domains);
  metrics.flagModes.from(() =>
    flags.flatMap(({ flag, feature, domain }) => {
      const now = feature ? gate.featureMode(flag) : gate.domainMode(domain.name);
      return modes.map((mode) => ({ labels: { flag, mode }, value: mode === now ? 1 : 0 }));
    }),
  );
  metrics.overlay.from(() => [{ labels: {}, value: Number(overlay.seq) }]);
  metrics.overlayFailSafe.from(() => [{ labels: {}, value: overlay.failSafe ? 1 : 0 }]);
}
