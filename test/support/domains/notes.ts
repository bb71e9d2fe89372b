import { randomUUIDv7 } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  By,
  Caller,
  Database,
  decodeCursor,
  Endpoint,
  EventStreams,
  IfMatch,
  LastEventId,
  listFrom,
  listOf,
  NotFound,
  page,
  PreconditionFailed,
  Public,
  Requires,
  SignedIn,
  statement,
  type Domain,
  type List,
  type Page,
} from '@belay/platform';
import {
  Body,
  Controller,
  Delete,
  Get,
  ImATeapotException,
  Injectable,
  Module,
  Param,
  Patch,
  Post,
  Query,
  StreamableFile,
} from '@nestjs/common';
import { z } from 'zod';

/** A small domain with one of each kind of route, for the tests of what every route has. */
export const notesSchema = `
  CREATE SCHEMA notes;
  CREATE TABLE notes.note (
    id          uuid PRIMARY KEY,
    title       text NOT NULL,
    quantity    integer NOT NULL,
    row_version integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp())`;

const noteId = z.uuid();
const draftNote = z
  .strictObject({
    title: z.string().trim().min(1).max(200),
    quantity: z.number().int().min(0).default(0),
    tags: z
      .array(z.strictObject({ name: z.string().min(1) }))
      .max(20)
      .optional(),
    more: z.record(z.string(), z.json()).optional(),
  })
  .meta({ id: 'DraftNote' });
const changeNote = draftNote.pick({ title: true }).meta({ id: 'ChangeNote' });
const pause = z.strictObject({ ms: z.int().min(0).max(10_000) }).meta({ id: 'Pause' });
const noteQuery = page.extend({ title: z.string().optional() });

export const noteView = z
  .object({
    id: noteId,
    title: z.string(),
    quantity: z.int(),
    rowVersion: z.int(),
    by: z.string(),
  })
  .meta({ id: 'Note' });
export type NoteView = z.infer<typeof noteView>;
export const noteList = listOf(noteView);

const who = z
  .object({ username: z.string(), requestId: z.string(), reason: z.string().nullable(), ip: z.string().nullable() })
  .meta({ id: 'Who' });

class NoteNotFound extends NotFound {
  readonly slug = 'note-not-found';
  readonly title = 'There is no such note';

  constructor(id: string) {
    super(`There is no note ${id}.`, { id });
  }
}

interface Row {
  id: string;
  title: string;
  quantity: number;
  row_version: number;
}

const insert = statement<Row>(
  'notes.insert',
  `INSERT INTO notes.note (id, title, quantity) VALUES ($1, $2, $3) RETURNING *`,
);
const select = statement<Row>('notes.select', `SELECT * FROM notes.note WHERE id = $1`);
const rename = statement<Row>(
  'notes.rename',
  `UPDATE notes.note SET title = $2, row_version = row_version + 1 WHERE id = $1 AND row_version = $3 RETURNING *`,
);
const list = statement<Row>(
  'notes.list',
  `SELECT * FROM notes.note WHERE ($1::text IS NULL OR (title, id) > ($1, $2::uuid)) ORDER BY title, id LIMIT $3`,
);
const key = z.tuple([z.string(), z.uuid()]);

@Injectable()
class NoteService {
  constructor(private readonly database: Database) {}

  draft(by: Caller, note: z.infer<typeof draftNote>): Promise<NoteView> {
    return this.database.transaction(by, async (tx) =>
      view(by, await insert(tx, [randomUUIDv7(), note.title, note.quantity])),
    );
  }

  draftSlowly(by: Caller, { ms }: z.infer<typeof pause>): Promise<NoteView> {
    return this.database.transaction(by, async (tx) => {
      await tx.query('SELECT pg_sleep($1)', [ms / 1000]);
      return view(by, await insert(tx, [randomUUIDv7(), 'slow', ms]));
    });
  }

  async find(by: Caller, id: string): Promise<NoteView> {
    return view(by, await select(this.database.dataSource, [id]), id);
  }

  async list(by: Caller, { limit, cursor }: Page): Promise<List<NoteView>> {
    const [title, id] = decodeCursor(cursor, key) ?? [null, null];
    const rows = await list(this.database.dataSource, [title, id, limit + 1]);
    return listFrom(
      rows,
      limit,
      (row) => [row.title, row.id],
      (row) => view(by, [row]),
    );
  }

  rename(by: Caller, id: string, version: number, title: string): Promise<NoteView> {
    return this.database.transaction(by, async (tx) => {
      const renamed = await rename(tx, [id, title, version]);
      if (renamed.length > 0) return view(by, renamed);
      throw new PreconditionFailed(view(by, await select(tx, [id]), id).rowVersion);
    });
  }

  remove(by: Caller, id: string): Promise<void> {
    return this.database.transaction(by, async (tx) => {
      await tx.query('DELETE FROM notes.note WHERE id = $1', [id]);
    });
  }
}

function view(by: Caller, [row]: Row[], id = ''): NoteView {
  if (!row) throw new NoteNotFound(id);
  return { id: row.id, title: row.title, quantity: row.quantity, rowVersion: row.row_version, by: by.username };
}

@Controller('notes')
@Requires('notes.note:write')
class NoteController {
  constructor(
    private readonly notes: NoteService,
    private readonly streams: EventStreams,
  ) {}

  @Post()
  @Endpoint('Write a note', { status: 201, returns: noteView, problems: ['409 note-taken'] })
  draft(@By() by: Caller, @Body({ schema: draftNote }) note: z.infer<typeof draftNote>): Promise<NoteView> {
    return this.notes.draft(by, note);
  }

  @Post('slow')
  @Endpoint('Write a note slowly', { status: 201, returns: noteView, idempotency: 'required' })
  slow(@By() by: Caller, @Body({ schema: pause }) body: z.infer<typeof pause>): Promise<NoteView> {
    return this.notes.draftSlowly(by, body);
  }

  @Get()
  @Endpoint('List notes', { returns: noteList })
  list(@By() by: Caller, @Query({ schema: noteQuery }) query: z.infer<typeof noteQuery>): Promise<List<NoteView>> {
    return this.notes.list(by, query);
  }

  @Get('mine')
  @SignedIn()
  @Endpoint('Say who asks', { returns: who })
  mine(@By() by: Caller): z.infer<typeof who> {
    return { username: by.username, requestId: by.requestId, reason: by.reason ?? null, ip: by.ip ?? null };
  }

  @Get('open')
  @Public()
  @Endpoint('Say who asks, to anybody', { returns: who })
  open(@By() by: Caller): z.infer<typeof who> {
    return this.mine(by);
  }

  @Post('open')
  @Public()
  @Endpoint('Knock', {})
  knock(): void {
    return undefined;
  }

  @Get('odd')
  @Endpoint('Answer something else than declared', { returns: noteView })
  odd(): object {
    return { id: 'none', secret: 'hunter2' };
  }

  @Get('broken')
  @Endpoint('Fail', {})
  broken(): void {
    throw new Error('the password is hunter2');
  }

  @Get('teapot')
  @Endpoint('Fail with a status of the protocol', {})
  teapot(): void {
    throw new ImATeapotException('short and stout');
  }

  @Post('twice')
  @Endpoint('Write two notes in two transactions', { status: 201, returns: noteView })
  async twice(@By() by: Caller, @Body({ schema: draftNote }) note: z.infer<typeof draftNote>): Promise<NoteView> {
    await this.notes.draft(by, note);
    return this.notes.draft(by, note);
  }

  @Get('export')
  @Endpoint('Export notes', { download: 'text/csv' })
  export(): StreamableFile {
    return new StreamableFile(Readable.from(['title\n', 'one\n']), { type: 'text/csv' });
  }

  @Get('events')
  @Endpoint('Follow notes', { events: true })
  events(@LastEventId() after: string | undefined): StreamableFile {
    return this.streams.open((send, signal) => {
      for (let n = Number(after ?? 0) + 1; n <= 3; n++) send({ id: String(n), name: 'note', data: { n } });
      signal.addEventListener('abort', () => ended.push(after ?? 'start'));
    }, 50);
  }

  @Get(':id')
  @Endpoint('Read a note', { returns: noteView, problems: ['404 note-not-found'] })
  find(@By() by: Caller, @Param('id', { schema: noteId }) id: string): Promise<NoteView> {
    return this.notes.find(by, id);
  }

  @Patch(':id')
  @Endpoint('Rename a note', { returns: noteView, problems: ['404 note-not-found'] })
  rename(
    @By() by: Caller,
    @Param('id', { schema: noteId }) id: string,
    @IfMatch() version: number,
    @Body({ schema: changeNote }) { title }: z.infer<typeof changeNote>,
  ): Promise<NoteView> {
    return this.notes.rename(by, id, version, title);
  }

  @Delete(':id')
  @Endpoint('Remove a note')
  remove(@By() by: Caller, @Param('id', { schema: noteId }) id: string): Promise<void> {
    return this.notes.remove(by, id);
  }
}

/** Where the streams that have ended had begun. */
export const ended: string[] = [];

@Module({ controllers: [NoteController], providers: [NoteService] })
class NoteModule {}

export const notes: Domain = { name: 'notes', title: 'Notes', after: ['directory'], features: [], module: NoteModule };
