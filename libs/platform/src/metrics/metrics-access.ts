import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv4 } from 'node:net';
import type { Config } from '../config/config.js';
import { SignInRequired, TokenRefused } from '../auth/auth.problems.js';
import { Problem } from '../problem/problem.js';

class MetricsClosed extends Problem {
  readonly kind = 'forbidden';
  readonly slug = 'metrics-closed';
  readonly title = 'Metrics are not for everybody';

  constructor() {
    super('Set METRICS_TOKEN and send it as the bearer token.');
  }
}

export type MetricsConfig = Pick<Config, 'NODE_ENV' | 'METRICS_TOKEN'>;

const thisMachine = new BlockList();
thisMachine.addSubnet('127.0.0.0', 8, 'ipv4');
thisMachine.addAddress('::1', 'ipv6');
thisMachine.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

/**
 * Throws unless the sender may read metrics. A token of their own instead of an account, because Prometheus must be able
 * to read while the database is away. Without a token only this machine may, and in production nobody: behind a proxy
 * every sender looks like this machine.
 */
export function admitToMetrics({ METRICS_TOKEN, NODE_ENV }: MetricsConfig, { headers, socket }: IncomingMessage): void {
  if (METRICS_TOKEN === undefined) {
    const { remoteAddress = '' } = socket;
    if (NODE_ENV === 'production' || !isThisMachine(remoteAddress)) throw new MetricsClosed();
    return;
  }
  if (headers.authorization === undefined) throw new SignInRequired();
  if (!sameText(headers.authorization, `Bearer ${METRICS_TOKEN}`)) throw new TokenRefused();
}

function isThisMachine(address: string): boolean {
  return address !== '' && thisMachine.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

/** Takes the same time wherever they differ. */
function sameText(one: string, other: string): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
