import { createHash, type Hash } from 'node:crypto';
import type { Signer } from '../engine/signer.js';
import type { ExportFormat } from './audit.contract.js';
import { ChainFollower, exportSeal, type ExportSeal } from './export-format.js';
import { formatters } from './export-formats.js';
import { sealBytes } from './export-write.js';

export interface ExportVerified {
  readonly ok: boolean;
  readonly format: ExportFormat | null;
  readonly entries: number;
  /** Whether the entries themselves were hashed again; a page for people is judged by its seal alone. */
  readonly chained: boolean;
  readonly seal: ExportSeal | null;
  /** What is wrong, in words; nothing when it is what Belay wrote. */
  readonly problems: readonly string[];
}

/** Whether an exported file is what this installation wrote, to the byte, and its entries follow each other. */
export async function verifyExport(
  chunks: AsyncIterable<Uint8Array>,
  signer: Pick<Signer, 'signed'>,
): Promise<ExportVerified> {
  const digest = createHash('sha256');
  const body = new Body(chunks, digest);
  const problems: string[] = [];
  const first = await body.peek();
  const format = first === undefined ? undefined : formatOf(first);
  if (format === undefined) return { ...unknown, problems: ['it is no export of the audit trail'] };

  const chain = new ChainFollower();
  const { read } = formatters[format];
  try {
    if (read) for await (const chained of read(body.lines())) chain.take(chained);
    else await body.skip();
  } catch (error) {
    problems.push(`an entry cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    await body.skip();
  }
  const seal = sealOf(format, body.last);
  if (!seal) problems.push('it does not end with a seal');
  else if (formatters[format].end(seal) !== `${body.last ?? ''}\n` || !body.ended) {
    problems.push('the seal is not written as Belay writes it');
  }
  if (seal) problems.push(...defectsOf(seal, digest.digest('hex'), format, signer));
  if (chain.broken !== undefined) problems.push(`entry ${chain.broken} does not follow the one before`);
  if (read && seal && problems.length === 0) problems.push(...misfits(seal, chain));
  const entries = read ? chain.entries : (seal?.entries ?? 0);
  return { ok: problems.length === 0, format, entries, chained: read !== undefined, seal: seal ?? null, problems };
}

const unknown = { ok: false, format: null, entries: 0, chained: false, seal: null } as const;

function formatOf(line: string): ExportFormat | undefined {
  if (line.startsWith('seq,at,actor_id,')) return 'csv';
  if (line.startsWith('CEF:0|Belay|')) return 'cef';
  if (line.startsWith('<!doctype html>')) return 'html';
  if (line.startsWith('{"export":')) return 'jsonl';
  return line.startsWith('{"category_uid":') ? 'ocsf' : undefined;
}

function sealOf(format: ExportFormat, line: string | undefined): ExportSeal | undefined {
  if (line === undefined) return undefined;
  try {
    return exportSeal.safeParse(formatters[format].sealIn(line)).data;
  } catch {
    return undefined;
  }
}

function defectsOf(seal: ExportSeal, sha256: string, format: ExportFormat, signer: Pick<Signer, 'signed'>): string[] {
  const { signature, ...told } = seal;
  const problems: string[] = [];
  // The last characters of base64 can be written in several ways.
  const exact = Buffer.from(signature.value, 'base64').toString('base64') === signature.value;
  if (!exact || !signer.signed(sealBytes(told), signature))
    problems.push('the seal was not signed by this installation');
  if (seal.sha256 !== sha256) problems.push('what stands before the seal was changed');
  if (seal.format !== format) problems.push(`the seal is of a ${seal.format} export`);
  return problems;
}

function misfits(seal: ExportSeal, { entries, last }: ChainFollower): string[] {
  const problems: string[] = [];
  if (entries !== seal.entries) problems.push(`it has ${entries} entries instead of ${seal.entries}`);
  const toHead = seal.to === null || (seal.head !== null && seal.to >= seal.head.seq);
  if (toHead && seal.head && last && (last.seq !== seal.head.seq || last.hash.toString('hex') !== seal.head.hash)) {
    problems.push('it does not end where the trail ended');
  }
  return problems;
}

/** The lines of a file; the last one is held back and not hashed with the others. */
class Body {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #ready: Buffer[] = [];
  #rest = Buffer.alloc(0);
  #ended = false;
  last: string | undefined;
  /** Whether the last line has an end. */
  ended = true;

  constructor(
    chunks: AsyncIterable<Uint8Array>,
    private readonly digest: Hash,
  ) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async peek(): Promise<string | undefined> {
    await this.fill();
    const line = this.#ready[0];
    return line && textOf(line);
  }

  /** Goes on where the last one stopped. */
  async *lines(): AsyncGenerator<string> {
    for (;;) {
      await this.fill();
      const line = this.#ready.shift();
      if (!line) return;
      if (this.#ready.length === 0) {
        this.last = textOf(line);
        return;
      }
      this.digest.update(line);
      yield textOf(line);
    }
  }

  /** To the last line, when those before it are not wanted. */
  async skip(): Promise<void> {
    const lines = this.lines();
    while ((await lines.next()).done !== true);
  }

  /** Until two lines are there, or all. */
  private async fill(): Promise<void> {
    while (!this.#ended && this.#ready.length < 2) {
      const next = await this.#chunks.next();
      if (next.done === true) {
        this.#ended = true;
        if (this.#rest.length > 0) {
          this.#ready.push(this.#rest);
          this.ended = false;
        }
        return;
      }
      const bytes = Buffer.concat([this.#rest, next.value]);
      let start = 0;
      for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
        this.#ready.push(bytes.subarray(start, end + 1));
        start = end + 1;
      }
      this.#rest = bytes.subarray(start);
    }
  }
}

/** Without the end of the line; a carriage return before it stays. */
function textOf(line: Buffer): string {
  return line.toString('utf8', 0, line.at(-1) === 10 ? line.length - 1 : line.length);
}
