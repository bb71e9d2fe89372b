import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** SHA-256 in hex of the document in canonical JSON (RFC 8785): the id of a plan, and what approvals and runs name. */
export function hashOfDocument(document: object): string {
  return createHash('sha256')
    .update(canonicalize(document) ?? '')
    .digest('hex');
}
