import type { FlagsDocument } from './flags-document.js';

/** Where the flags in force were read: from Unleash or what stands in for it, or from flags.json or its absence. */
export type FlagOrigin = 'unleash' | 'backup' | 'bootstrap' | 'file' | 'defaults';

export interface FlagFeed {
  readonly origin: FlagOrigin;
  /** When the source was last seen to agree with the flags in force. */
  readonly agreedAt: Date | undefined;
  /** The flags to begin with. Throws `FlagsUnavailable` when there are none to be had: guessing could switch modules off. */
  begin(): Promise<FlagsDocument>;
  /** Hands over every later state. What cannot be read changes nothing. */
  follow(apply: (flags: FlagsDocument) => void): void;
  close(): void;
}

/** The process must not start: its message is the one sentence for whoever starts it. */
export class FlagsUnavailable extends Error {
  override readonly name = 'FlagsUnavailable';
}
