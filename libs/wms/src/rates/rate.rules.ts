import { eventBases, type ChargeCategory, type RateBasis, type RateParams } from '../charges/charge.rules.js';

/** What a rate can be charged by so far. */
export const usableBases = [...eventBases, 'manual', 'pallet_week'] as const;
export type UsableBasis = (typeof usableBases)[number];

export interface RateTerms {
  readonly category: ChargeCategory;
  readonly basis: RateBasis;
  readonly params: RateParams;
  readonly effectiveFrom: string;
  readonly effectiveTo: string | null;
}

export interface Fault {
  readonly path: readonly string[];
  readonly detail: string;
}

const narrowing = ['inboundType', 'on'];

/** Which params a basis needs, and which else mean something to it. */
const paramsOf: Readonly<
  Record<UsableBasis, { readonly needs: readonly string[]; readonly takes: readonly string[] }>
> = {
  per_container: { needs: [], takes: narrowing },
  per_carton_in: { needs: [], takes: narrowing },
  per_pallet_in: { needs: [], takes: narrowing },
  per_pallet_out: { needs: [], takes: narrowing },
  per_carton_out_loose: { needs: [], takes: narrowing },
  per_unit: { needs: [], takes: narrowing },
  per_shipment: { needs: [], takes: narrowing },
  flat: { needs: [], takes: narrowing },
  over_threshold: { needs: ['measure', 'threshold'], takes: narrowing },
  min_charge: { needs: ['minimum'], takes: narrowing },
  pallet_tier_flat: { needs: ['fromPallets', 'toPallets'], takes: ['per', ...narrowing] },
  manual: { needs: [], takes: [] },
  pallet_week: { needs: [], takes: [] },
};

/** Why the terms of a rate do not fit together; nothing when they do. */
export function faultsOf({ category, basis, params, effectiveFrom, effectiveTo }: RateTerms): Fault[] {
  const faults: Fault[] = [];
  const fault = (path: readonly string[], detail: string) => faults.push({ path, detail });

  if (effectiveTo !== null && effectiveTo < effectiveFrom) fault(['effectiveTo'], 'must not be before effectiveFrom');
  if ((category === 'Storage') !== (basis === 'pallet_week')) {
    fault(['category'], 'is Storage for what is charged by the week, and for nothing else');
  }
  const known = usableBases.find((one) => one === basis);
  if (!known) {
    fault(['basis'], 'cannot be charged yet');
    return faults;
  }
  const { needs, takes } = paramsOf[known];
  const given = Object.keys(params);
  for (const name of needs) if (!given.includes(name)) fault(['params', name], `is needed by ${basis}`);
  for (const name of given) {
    if (!needs.includes(name) && !takes.includes(name)) fault(['params', name], `means nothing to ${basis}`);
  }
  const { fromPallets, toPallets } = params;
  if (fromPallets !== undefined && toPallets !== undefined && toPallets < fromPallets) {
    fault(['params', 'toPallets'], 'must not be less than fromPallets');
  }
  return faults;
}
