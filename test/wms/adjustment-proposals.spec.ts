import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { listOf } from '@belay/platform';
import { movementView, proposalView, type ProposalView } from '@belay/wms';
import { newHolder, newSite, outcome } from '../support/people.js';
import type { TestApi } from '../support/test-api.js';
import { Floor } from './floor.js';
import { withKey } from './postings.js';

const path = '/api/wms/adjustment-proposals';

describe('an adjustment of more than 500 units', () => {
  let floor: Floor;
  let second: TestApi;
  let lot: { id: string };
  beforeAll(async () => {
    floor = await Floor.open({ config: { WMS_APPROVAL_UNITS: 500 } });
    second = await floor.api.as('admin');
  });
  beforeEach(async () => {
    lot = await floor.stocked(600);
  });
  afterAll(() => floor.close());

  const adjustment = (looseUnits: number, kind = 'ADJUST_OUT') => ({
    warehouse: floor.warehouse.code,
    kind,
    reasonCode: 'damage',
    note: 'a leaking roof',
    lines: [{ lot: lot.id, location: floor.place, looseUnits }],
  });
  const adjust = (by: TestApi, units: number, kind?: string) =>
    outcome(by, 'POST', '/api/wms/movements/adjust', adjustment(units, kind), withKey());
  const propose = (by: TestApi, units: number): Promise<ProposalView> =>
    by.withHeaders(withKey()).post(path, adjustment(units), 201, proposalView);
  const approve = (by: TestApi, { id }: ProposalView) =>
    outcome(by, 'POST', `${path}/${id}/approval`, undefined, withKey());
  const reject = (by: TestApi, { id }: ProposalView) => outcome(by, 'POST', `${path}/${id}/rejection`);

  it('is not posted by one person, up or down; one of 500 is', async () => {
    expect(await adjust(floor.admin, 501)).toBe('409 approval-needed');
    expect(await adjust(floor.admin, 501, 'ADJUST_IN')).toBe('409 approval-needed');
    expect(await floor.stock(lot)).toEqual({ onHand: 600, reserved: 0 });
    expect(await adjust(floor.admin, 500)).toBe('201');
  });

  it('is proposed, which moves nothing, and posted by somebody else', async () => {
    const proposal = await propose(floor.admin, 501);
    expect(proposal).toMatchObject({ status: 'open', units: 501, decidedBy: null, movementId: null });
    expect(await floor.stock(lot)).toEqual({ onHand: 600, reserved: 0 });
    expect(await approve(floor.admin, proposal)).toBe('403 same-person');

    expect(await approve(second, proposal)).toBe('200');
    expect(await floor.stock(lot)).toEqual({ onHand: 99, reserved: 0 });
    const approved = await floor.admin.get(`${path}/${proposal.id}`, 200, proposalView);
    expect(approved).toMatchObject({ status: 'approved', createdBy: proposal.createdBy });
    expect(approved.decidedBy).not.toBe(proposal.createdBy);
    const movement = await floor.admin.get(`/api/wms/movements/${approved.movementId ?? ''}`, 200, movementView);
    expect(movement).toMatchObject({ kind: 'ADJUST_OUT', sourceId: proposal.id, actorId: approved.decidedBy });
  });

  it('is approved once, however many approve it at the same time', async () => {
    const proposal = await propose(floor.admin, 550);
    const ends = await Promise.all(Array.from({ length: 6 }, () => approve(second, proposal)));
    expect(ends.toSorted()).toEqual(['200', ...Array.from({ length: 5 }, () => '409 adjustment-proposal-decided')]);
    expect(await floor.stock(lot)).toEqual({ onHand: 50, reserved: 0 });
  });

  it('is rejected, or taken back, and then decided about', async () => {
    for (const by of [second, floor.admin]) {
      const proposal = await propose(floor.admin, 501);
      expect(await reject(by, proposal)).toBe('200');
      expect(await reject(by, proposal)).toBe('409 adjustment-proposal-decided');
      expect(await approve(second, proposal)).toBe('409 adjustment-proposal-decided');
    }
    expect(await floor.stock(lot)).toEqual({ onHand: 600, reserved: 0 });
  });

  it('stays open when there is too little left of it', async () => {
    const proposal = await propose(floor.admin, 550);
    expect(await adjust(floor.admin, 100)).toBe('201');
    expect(await approve(second, proposal)).toBe('409 insufficient-stock');
    expect((await floor.admin.get(`${path}/${proposal.id}`, 200, proposalView)).status).toBe('open');
  });

  it('is seen and approved at its site only', async () => {
    const proposal = await propose(floor.admin, 501);
    const { id: elsewhere } = await newSite(floor.admin);
    const stranger = await newHolder(floor.api, floor.admin, 'supervisor', elsewhere);
    const viewer = await newHolder(floor.api, floor.admin, 'viewer', floor.warehouse.siteId);
    expect(await approve(stranger, proposal)).toBe('404 adjustment-proposal-not-found');
    expect((await stranger.get(path, 200, listOf(proposalView))).items).toEqual([]);
    expect(await approve(viewer, proposal)).toBe('403 permission-missing');
    const query = `?warehouse=${floor.warehouse.code}&status=open&limit=1`;
    expect((await viewer.get(`${path}${query}`, 200, listOf(proposalView))).items).toMatchObject([{ id: proposal.id }]);
  });

  it('is not proposed when it could not be posted by anybody', async () => {
    const wrong = { ...adjustment(501), lines: [{ lot: 'nothing', looseUnits: 501 }] };
    expect(await outcome(floor.admin, 'POST', path, wrong, withKey())).toBe('422 invalid-request');
  });
});

describe('without a limit', () => {
  it('one person adjusts whatever there is', async () => {
    const floor = await Floor.open();
    const lot = await floor.stocked(5_000_000);
    const lines = [{ lot: lot.id, location: floor.place, looseUnits: 5_000_000 }];
    const body = { warehouse: floor.warehouse.code, kind: 'ADJUST_OUT', reasonCode: 'loss', note: 'a flood', lines };
    expect(await outcome(floor.admin, 'POST', '/api/wms/movements/adjust', body, withKey())).toBe('201');
    await floor.close();
  });
});
