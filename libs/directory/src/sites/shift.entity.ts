import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import type { ShiftCode } from './shift.rules.js';
import { Site } from './site.entity.js';

@Entity({ schema: 'directory', name: 'shift' })
@Check('shift_code_is_known', `code IN ('morning', 'evening', 'night', 'full')`)
export class Shift {
  @PrimaryColumn({ type: 'uuid', name: 'site_id' })
  @ForeignKey(() => Site, { name: 'shift_is_at_a_site' })
  siteId!: string;

  @PrimaryColumn({ type: 'text' })
  code!: ShiftCode;

  @Column({ type: 'time' })
  starts!: string;

  @Column({ type: 'time' })
  ends!: string;
}
