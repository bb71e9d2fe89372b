import { page } from '@belay/platform';
import type { Command } from 'commander';
import { newMarker, type MarkerView } from '../restores/marker.contract.js';
import { Markers } from '../restores/markers.service.js';
import type { Common, Shell } from './shell.js';
import { count, paragraphs, table } from './text.rules.js';

/** `belay marker create|list`. */
export function markerCommand(shell: Shell): Command {
  const marker = shell.group('marker', 'points in time that rows can be taken back to');
  marker.addCommand(
    shell
      .act('create', 'remembers how things are now')
      .argument('<name>', 'as people find it again')
      .action((given: string, flags: Common) =>
        shell.run(flags, async (session) => {
          const by = await session.actor('rollback:backup');
          const { name } = newMarker.parse({ name: given });
          const made = await session.transact((client) => session.get(Markers).create(client, by, name));
          return { text: markersText([made]), json: made };
        }),
      ),
  );
  marker.addCommand(
    shell
      .command('list', 'the newest markers')
      .option('--limit <number>', 'how many', Number, 20)
      .action((flags: Common & { limit: number }) =>
        shell.run(flags, async (session) => {
          const { items } = await session.get(Markers).list(page.parse({ limit: flags.limit }));
          if (items.length === 0) return { text: 'No marker yet.', json: { items } };
          return { text: paragraphs(markersText(items), `${count(items.length, 'marker')}.`), json: { items } };
        }),
      ),
  );
  return marker;
}

function markersText(markers: readonly MarkerView[]): string {
  return table(
    ['marker', 'when', 'name', 'modules'],
    markers.map(({ id, at, name, domains }) => [id, at.slice(0, 19).replace('T', ' '), name, domains.join(', ')]),
  );
}
