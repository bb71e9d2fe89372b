import { describe, expect, it } from '@jest/globals';
import { LiveGauge } from './live-gauge.js';
import { Metrics } from './metrics.js';

function gauge() {
  const metrics = new Metrics('api', 'abc');
  const open = new LiveGauge(metrics, 'doors_open', 'Doors that are open', ['house']);
  const lines = async () => (await metrics.getSingleMetricAsString('doors_open')).split('\n').slice(2);
  return { open, lines };
}

describe('a live gauge', () => {
  it('has at each scrape what its sources say then, added up', async () => {
    const { open, lines } = gauge();
    let doors = 1;
    open.from(() => [{ labels: { house: 'a' }, value: doors }]);
    const leave = open.from(() => Promise.resolve([{ labels: { house: 'a' }, value: 10 }]));
    expect(await lines()).toEqual(['doors_open{house="a"} 11']);
    doors = 2;
    leave();
    expect(await lines()).toEqual(['doors_open{house="a"} 2']);
  });

  it('forgets what no source says any more', async () => {
    const { open, lines } = gauge();
    open.from(() => [{ labels: { house: 'a' }, value: 1 }])();
    expect(await lines()).toEqual([]);
  });

  it('leaves out a source that fails or does not answer, and has the others within two seconds', async () => {
    const { open, lines } = gauge();
    open.from(() => {
      throw new Error('no door');
    });
    open.from(() => Promise.reject(new Error('no door')));
    open.from(() => new Promise(() => undefined));
    open.from(() => [{ labels: { house: 'a' }, value: 1 }]);
    const began = performance.now();
    expect(await lines()).toEqual(['doors_open{house="a"} 1']);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
