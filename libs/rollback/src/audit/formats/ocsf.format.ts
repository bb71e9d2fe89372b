import { isIP } from 'node:net';
import type { ChainedEntry } from '@belay/platform';
import { z } from 'zod';
import { actorIn, carried, carry, endedWell, wordsOf, type ExportFormatter } from '../export-format.js';

// API Activity, version 1.3 of the schema: the class of what somebody had a service do.
const CLASS = { category_uid: 6, category_name: 'Application Activity', class_uid: 6003, class_name: 'API Activity' };
const OTHER = { activity_id: 99, activity_name: 'Other', type_uid: 600_399, type_name: 'API Activity: Other' };
const metadata = { version: '1.3.0', product: { vendor_name: 'Belay', name: 'Belay' } };
const sealed = z.object({ unmapped: z.object({ seal: z.unknown() }) });
const whole = z.object({ unmapped: carried });

/** Events of the Open Cybersecurity Schema Framework, one a line, with the entry as it is hashed under `unmapped`. */
export const ocsf: ExportFormatter = {
  mediaType: 'application/x-ndjson',
  extension: 'ocsf.jsonl',
  begin: () => '',
  entry: (chained) => `${JSON.stringify(eventOf(chained))}\n`,
  end: (seal) =>
    `${JSON.stringify({
      ...CLASS,
      ...OTHER,
      metadata,
      time: Date.parse(seal.exportedAt),
      severity_id: 1,
      status_id: 1,
      actor: { user: { uid: seal.exportedBy } },
      api: { operation: 'audit.seal' },
      src_endpoint: { name: 'belay' },
      unmapped: { seal },
    })}\n`,
  sealIn: (line) => sealed.parse(JSON.parse(line)).unmapped.seal,
  async *read(lines) {
    for await (const line of lines) yield whole.parse(JSON.parse(line)).unmapped;
  },
};

function eventOf(chained: ChainedEntry) {
  const { entry } = chained;
  const { id, role, session, ip } = actorIn(entry);
  const well = endedWell(entry);
  return {
    ...CLASS,
    ...OTHER,
    metadata: { ...metadata, uid: chained.hash.toString('hex'), sequence: entry.seq },
    time: Date.parse(entry.at),
    severity_id: well ? 1 : 3,
    status_id: well ? 1 : 2,
    status_detail: wordsOf(entry.outcome),
    message: wordsOf(entry.reason),
    actor: {
      user: { uid: id, ...(role !== null && { groups: role.split(' ').map((name) => ({ name })) }) },
      ...(session !== null && { session: { uid: session } }),
    },
    api: { operation: wordsOf(entry.action), service: { name: 'rollback' } },
    resources: [{ name: wordsOf(entry.subject) }],
    src_endpoint: ip !== null && isIP(ip) > 0 ? { ip } : { name: 'belay' },
    unmapped: carry(chained),
  };
}
