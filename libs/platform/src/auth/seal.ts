import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ivBytes = 12;
const tagBytes = 16;

/** Encrypts what must not be readable in a dump of the database (AES-256-GCM under SECRET_KEY). */
export class Seal {
  readonly #key: Buffer;

  constructor(secretKey: string) {
    this.#key = Buffer.from(secretKey, 'base64');
    if (this.#key.length !== 32) throw new Error('SECRET_KEY must be 32 bytes in base64');
  }

  /** `name` says what is sealed and is needed to open it, so that a sealed value cannot be moved to another row. */
  seal(name: string, plain: Uint8Array): Buffer {
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(Buffer.from(name));
    const body = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), body]);
  }

  /** Throws when the value was sealed under another key or name, or was changed. */
  open(name: string, sealed: Uint8Array): Buffer {
    const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, ivBytes))
      .setAAD(Buffer.from(name))
      .setAuthTag(sealed.subarray(ivBytes, ivBytes + tagBytes));
    return Buffer.concat([decipher.update(sealed.subarray(ivBytes + tagBytes)), decipher.final()]);
  }
}
