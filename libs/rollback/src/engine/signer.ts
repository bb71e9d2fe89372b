import { createPrivateKey, createPublicKey, hkdfSync, sign, verify, type KeyObject } from 'node:crypto';
import type { Config } from '@belay/platform';

// What stands before the 32 bytes of a key in PKCS #8 and in SubjectPublicKeyInfo (RFC 8410).
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');

export interface Signature {
  readonly algorithm: 'Ed25519';
  /** 32 bytes in base64. */
  readonly publicKey: string;
  readonly value: string;
}

type Keys = Pick<Config, 'BELAY_SIGNING_KEY' | 'SECRET_KEY' | 'TRUSTED_SIGNING_KEYS'>;

/** Signs what leaves the databases: backups and anchors of the audit trail. */
export class Signer {
  readonly publicKey: string;
  readonly #private: KeyObject;
  readonly #trusted: ReadonlySet<string>;

  constructor(config: Keys) {
    this.#private = createPrivateKey({
      key: Buffer.concat([privatePrefix, seedOf(config)]),
      format: 'der',
      type: 'pkcs8',
    });
    this.publicKey = createPublicKey(this.#private)
      .export({ format: 'der', type: 'spki' })
      .subarray(publicPrefix.length)
      .toString('base64');
    this.#trusted = new Set([this.publicKey, ...config.TRUSTED_SIGNING_KEYS]);
  }

  sign(bytes: Uint8Array): Signature {
    return {
      algorithm: 'Ed25519',
      publicKey: this.publicKey,
      value: sign(null, bytes, this.#private).toString('base64'),
    };
  }

  /** Whether these bytes were signed by this installation, now or under an earlier key that is still trusted. */
  signed(bytes: Uint8Array, { publicKey, value }: Signature): boolean {
    if (!this.#trusted.has(publicKey)) return false;
    const key = createPublicKey({
      key: Buffer.concat([publicPrefix, Buffer.from(publicKey, 'base64')]),
      format: 'der',
      type: 'spki',
    });
    return verify(null, bytes, key, Buffer.from(value, 'base64'));
  }
}

function seedOf({ BELAY_SIGNING_KEY, SECRET_KEY }: Keys): Buffer {
  if (BELAY_SIGNING_KEY !== undefined) return Buffer.from(BELAY_SIGNING_KEY, 'base64');
  return Buffer.from(hkdfSync('sha256', Buffer.from(SECRET_KEY, 'base64'), '', 'belay signing key', 32));
}
