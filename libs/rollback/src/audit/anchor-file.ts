import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { anchorView, type Anchor } from './anchor.contract.js';

export interface AnchorFileContent {
  readonly present: boolean;
  readonly anchors: readonly Anchor[];
  /** Lines that are no anchors, e.g. half of one that was being written when the machine died. */
  readonly unreadable: number;
}

/** Anchors outside the database, a line each: whoever changes the trail has to change this file as well. */
export class AnchorFile {
  constructor(readonly path: string) {}

  async read(): Promise<AnchorFileContent> {
    const text = await readFile(this.path, 'utf8').catch(missing);
    if (text === undefined) return { present: false, anchors: [], unreadable: 0 };
    const lines = text.split('\n').filter((line) => line !== '');
    const anchors = lines.map(anchorIn).filter((anchor) => anchor !== undefined);
    return { present: true, anchors, unreadable: lines.length - anchors.length };
  }

  /** On the disk when the promise is kept. */
  async append(anchors: readonly Anchor[]): Promise<void> {
    if (anchors.length === 0) return;
    await mkdir(dirname(this.path), { recursive: true });
    await using file = await open(this.path, 'a+');
    const { size } = await file.stat();
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
    // Half a line of somebody who died stays a line of its own.
    const begin = size > 0 && buffer.toString() !== '\n' ? '\n' : '';
    await file.appendFile(begin + anchors.map((anchor) => `${JSON.stringify(anchor)}\n`).join(''));
    await file.sync();
    await syncFolder(dirname(this.path));
  }
}

/** A file that is new is on the disk only once its folder is. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

export function missing(error: unknown): undefined {
  if (Reflect.get(Object(error), 'code') !== 'ENOENT') throw error;
}

function anchorIn(line: string): Anchor | undefined {
  try {
    return anchorView.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
