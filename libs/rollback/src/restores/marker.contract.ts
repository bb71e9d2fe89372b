import { line, listOf, page } from '@belay/platform';
import { z } from 'zod';

export const markerView = z
  .object({
    id: z.uuid(),
    name: z.string(),
    at: z.iso.datetime(),
    domains: z.array(z.string()).describe('Those that said what there was, so that a way back can be compared with it'),
    runId: z.uuid().nullable().describe('The run that made it'),
  })
  .meta({ id: 'Marker' });
export type MarkerView = z.infer<typeof markerView>;

export const markerList = listOf(markerView);
export const markerQuery = page;
export type MarkerQuery = z.infer<typeof markerQuery>;

export const newMarker = z.strictObject({ name: line(200) }).meta({ id: 'NewMarker' });
export type NewMarker = z.infer<typeof newMarker>;
