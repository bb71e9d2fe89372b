import { hkdfSync } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { SerialMismatch } from '../production.problems.js';
import { insertSerials, serialsOf, takeNumbers, type SerialRow } from './serial.queries.js';
import { serialOf, skuOfSerial } from './serial.rules.js';
import { siteDay } from './ticket.queries.js';
import type { JobLine } from './ticket.rules.js';

interface Pieces {
  readonly ticketId: string;
  readonly siteId: string;
  readonly line: JobLine;
  readonly sku: string | null;
  readonly targetQty: number;
}

/** The one source of serials. */
@Injectable()
export class Serials {
  readonly #key: string | Buffer;
  readonly #prefix: string;

  constructor(@Inject(CONFIG) { PRODUCTION_SERIAL_KEY, PRODUCTION_SERIAL_PREFIX, SECRET_KEY }: Config) {
    const secret = Buffer.from(SECRET_KEY, 'base64');
    this.#key = PRODUCTION_SERIAL_KEY ?? Buffer.from(hkdfSync('sha256', secret, '', 'belay production serials', 32));
    this.#prefix = PRODUCTION_SERIAL_PREFIX;
  }

  /**
   * As many serials as the job makes pieces, in their order: those that were reserved before, or new ones. The ticket must
   * be locked.
   */
  async reserve(tx: EntityManager, job: Pieces, at: Date): Promise<readonly SerialRow[]> {
    const reserved = await serialsOf(tx, [job.ticketId]);
    if (reserved.length === job.targetQty) return reserved;
    if (reserved.length > 0) throw new SerialMismatch(job.targetQty, reserved.length);

    const [site] = await siteDay(tx, [job.siteId, at]);
    if (!site) throw new Error(`Job ${job.ticketId} is at no site`);
    const sku = skuOfSerial(job.sku ?? '');
    const [numbers] = await takeNumbers(tx, [job.line, sku, site.day, job.targetQty]);
    if (!numbers) throw new Error('The counter gave no number');
    const serials = Array.from({ length: job.targetQty }, (_, n) =>
      serialOf({ prefix: this.#prefix, line: job.line, sku, day: site.day, seq: numbers.first + n }, this.#key),
    );
    await insertSerials(tx, [job.ticketId, serials]);
    return serials.map((serial, n) => ({ spawnSeq: n + 1, serial, printedAt: null }));
  }
}
