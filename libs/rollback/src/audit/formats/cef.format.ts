import { isIP } from 'node:net';
import { z } from 'zod';
import { actorIn, carried, carry, endedWell, wordsOf, type ExportFormatter } from '../export-format.js';

const sealPattern = /^CEF:0\|Belay\|Belay\|1\|audit\.seal\|[^|]*\|0\|belaySeal=(\S+)$/;
const entryPattern = / belayEntry=(\S+)$/;

/** Lines of ArcSight's Common Event Format; the entry as it is hashed stands in an extension of our own. */
export const cef: ExportFormatter = {
  mediaType: 'text/plain; charset=utf-8',
  extension: 'cef',
  begin: () => '',
  entry(chained) {
    const { entry } = chained;
    const { id, role, ip } = actorIn(entry);
    const action = wordsOf(entry.action);
    const version = isIP(ip ?? '');
    const fields: [string, string][] = [
      ['rt', String(Date.parse(entry.at))],
      ['externalId', String(entry.seq)],
      ['suid', id],
      ['spriv', role ?? ''],
      [version === 6 ? 'c6a2' : 'src', version > 0 ? (ip ?? '') : ''],
      ['act', action],
      ['outcome', wordsOf(entry.outcome)],
      ['reason', wordsOf(entry.reason)],
      ['cs1Label', 'subject'],
      ['cs1', wordsOf(entry.subject)],
      ['cs2Label', 'environment'],
      ['cs2', wordsOf(entry.environment)],
      ['cs3Label', 'run'],
      ['cs3', wordsOf(entry.runId)],
      ['cs4Label', 'plan'],
      ['cs4', wordsOf(entry.planId)],
    ];
    const told = fields.filter(([, value]) => value !== '').map(([name, value]) => `${name}=${extension(value)}`);
    const severity = endedWell(entry) ? 3 : 7;
    const head = ['CEF:0', 'Belay', 'Belay', '1', header(action), header(action), String(severity)].join('|');
    return `${head}|${told.join(' ')} belayEntry=${packed(carry(chained))}\n`;
  },
  end: (seal) => `CEF:0|Belay|Belay|1|audit.seal|Seal of the export|0|belaySeal=${packed(seal)}\n`,
  sealIn: (line) => unpacked(sealPattern.exec(line)?.[1]),
  async *read(lines) {
    for await (const line of lines) yield carried.parse(unpacked(entryPattern.exec(line)?.[1]));
  },
};

function header(text: string): string {
  return text.replaceAll(/[\\|]/g, '\\$&').replaceAll(/[\r\n]+/g, ' ');
}

function extension(text: string): string {
  return text.replaceAll(/[\\=]/g, '\\$&').replaceAll('\r', '\\r').replaceAll('\n', '\\n');
}

function packed(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function unpacked(text: string | undefined): unknown {
  return JSON.parse(Buffer.from(z.string().parse(text), 'base64url').toString());
}
