import { assignment } from '@belay/assignment';
import { directory } from '@belay/directory';
import type { Domain } from '@belay/platform';
import { production } from '@belay/production';
import { rollback } from '@belay/rollback';
import { wms } from '@belay/wms';

/** Every domain of the release. A domain stands after those it comes `after`; migrations and boot follow this order. */
export const domains: readonly Domain[] = [directory, production, assignment, wms, rollback];
