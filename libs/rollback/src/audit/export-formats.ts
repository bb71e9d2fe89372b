import type { ExportFormat } from './audit.contract.js';
import type { ExportFormatter } from './export-format.js';
import { cef } from './formats/cef.format.js';
import { csv } from './formats/csv.format.js';
import { html } from './formats/html.format.js';
import { jsonl } from './formats/jsonl.format.js';
import { ocsf } from './formats/ocsf.format.js';

export const formatters: Readonly<Record<ExportFormat, ExportFormatter>> = { jsonl, csv, ocsf, cef, html };
