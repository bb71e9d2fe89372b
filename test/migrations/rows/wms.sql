INSERT INTO wms.warehouse (id, site_id, code, name, kind, address, lat, lon, timezone, created_by)
VALUES ('01900000-0000-7000-8000-0000000a0001', '01900000-0000-7000-8000-000000000001', 'FMC', 'Forwarders & Co "naïve ✂"', 'third_party',
        '{"city": "Tilbury"}', 51.462839, 0.359121, 'Europe/London', '01900000-0000-7000-8000-000000000009');
INSERT INTO wms.location (id, warehouse_id, parent_id, code, type, is_pickable, created_by)
VALUES ('01900000-0000-7000-8000-0000000b0001', '01900000-0000-7000-8000-0000000a0001', NULL, 'DEFAULT', 'zone', true, '01900000-0000-7000-8000-000000000009'),
       ('01900000-0000-7000-8000-0000000b0002', '01900000-0000-7000-8000-0000000a0001', '01900000-0000-7000-8000-0000000b0001', 'A/B', 'staging', false, '01900000-0000-7000-8000-000000000009');
INSERT INTO wms.sku (id, code, description, default_units_per_carton, expiry_tracked, pick_strategy, created_by)
VALUES ('01900000-0000-7000-8000-0000000c0001', 'CS 008', '', 60, true, 'fefo', '01900000-0000-7000-8000-000000000009');
INSERT INTO wms.lot (id, sku_id, code, units_per_carton, carton_length_mm, carton_width_mm, carton_height_mm, manufactured_on, expires_on, created_by)
VALUES ('01900000-0000-7000-8000-0000000d0001', '01900000-0000-7000-8000-0000000c0001', '8', 60, 400, 280, 295, '2024-02-29', '2026-02-28', '01900000-0000-7000-8000-000000000009');
INSERT INTO wms.pallet_spec (id, warehouse_id, sku_id, storage_cartons_per_pallet, shipping_cartons_per_pallet, valid, created_by)
VALUES ('01900000-0000-7000-8000-0000000e0001', '01900000-0000-7000-8000-0000000a0001', '01900000-0000-7000-8000-0000000c0001', 36, 16, '[2025-01-01,)', '01900000-0000-7000-8000-000000000009');

INSERT INTO wms.doc_counter (warehouse_id, kind, on_date, last_no) VALUES ('01900000-0000-7000-8000-0000000a0001', 'RCV', '2025-01-06', 1);
INSERT INTO wms.movement (id, number, warehouse_id, kind, reference, container_number, inbound_type, effective_at, actor_id)
VALUES ('01900000-0000-7000-8000-0000000f0001', 'FMC-RCV-20250106-000001', '01900000-0000-7000-8000-0000000a0001', 'RECEIVE', 'CI-1021', 'OOLU1234567', 'CONTAINER_40',
        '2025-01-06 09:30:00.123456+00', '01900000-0000-7000-8000-000000000009');
-- In the transaction of its movement, as every line is.
INSERT INTO wms.wms_inventory_transaction
  (movement_id, line_no, warehouse_id, location_id, sku_id, lot_id, stock_status, qty_delta, pallets_reported, pallets_computed, effective_at, recorded_at)
SELECT m.id, 1, m.warehouse_id, '01900000-0000-7000-8000-0000000b0001', '01900000-0000-7000-8000-0000000c0001', '01900000-0000-7000-8000-0000000d0001',
       'available', 1020, 2, 1, m.effective_at, m.recorded_at
FROM wms.movement m;
INSERT INTO wms.movement_attr (movement_id, vessel, attachments, created_by)
VALUES ('01900000-0000-7000-8000-0000000f0001', 'Ever Given', '["k/1.pdf"]', '01900000-0000-7000-8000-000000000009');
-- The first row of a lot is valid from -infinity, which XML, by which rows are compared, cannot say.
INSERT INTO wms.lot_stock (warehouse_id, lot_id, valid_from, storage_cartons_per_pallet, shipping_cartons_per_pallet, first_received_at, source_movement_id, created_by)
VALUES ('01900000-0000-7000-8000-0000000a0001', '01900000-0000-7000-8000-0000000d0001', '2025-01-06', 36, 16, '2025-01-06 09:30:00+00', '01900000-0000-7000-8000-0000000f0001', '01900000-0000-7000-8000-000000000009');
INSERT INTO wms.stock_close (warehouse_id, closed_on, location_id, lot_id, stock_status, qty, last_seq)
VALUES ('01900000-0000-7000-8000-0000000a0001', '2025-01-15', '01900000-0000-7000-8000-0000000b0001', '01900000-0000-7000-8000-0000000d0001', 'available', 1020, 1);

INSERT INTO wms.reservation (id, warehouse_id, sku_id, lot_id, source_type, source_id, source_line, qty, strategy, created_by)
VALUES ('01900000-0000-7000-8000-000000100001', '01900000-0000-7000-8000-0000000a0001', '01900000-0000-7000-8000-0000000c0001', NULL, 'order', 'SO-9', '1', 600, 'fefo', '01900000-0000-7000-8000-000000000009');
UPDATE wms.stock_balance SET reserved = 600;
INSERT INTO wms.reservation_alloc (reservation_id, balance_id, qty) SELECT '01900000-0000-7000-8000-000000100001', id, 600 FROM wms.stock_balance;
INSERT INTO wms.stock_count (id, warehouse_id, created_by)
VALUES ('01900000-0000-7000-8000-000000110001', '01900000-0000-7000-8000-0000000a0001', '01900000-0000-7000-8000-000000000009');
INSERT INTO wms.stock_count_line (stock_count_id, warehouse_id, location_id, sku_id, lot_id, stock_status, expected_qty, expected_seq, counted_qty)
VALUES ('01900000-0000-7000-8000-000000110001', '01900000-0000-7000-8000-0000000a0001', '01900000-0000-7000-8000-0000000b0001', '01900000-0000-7000-8000-0000000c0001',
        '01900000-0000-7000-8000-0000000d0001', 'available', 1020, 1, NULL);

INSERT INTO wms.billing_period (warehouse_id, period_start, period_end) VALUES ('01900000-0000-7000-8000-0000000a0001', '2024-12-16', '2025-01-15');
INSERT INTO wms.invoice (id, warehouse_id, number, period_start, period_end, issued_on, currency, net, tax, total, created_by)
VALUES ('01900000-0000-7000-8000-000000120001', '01900000-0000-7000-8000-0000000a0001', 'INV/7', '2024-12-16', '2025-01-15', '2025-01-16', 'GBP', 4.00, 0.80, 4.80, '01900000-0000-7000-8000-000000000009');
INSERT INTO wms.invoice_line (id, invoice_id, line_no, category, name, quantity, amount)
VALUES ('01900000-0000-7000-8000-000000120002', '01900000-0000-7000-8000-000000120001', 1, 'Storage', 'Rent', 1, 4.00);
INSERT INTO wms.invoice_payment (id, invoice_id, method, reference, paid_on, amount, created_by)
VALUES ('01900000-0000-7000-8000-000000120003', '01900000-0000-7000-8000-000000120001', 'BACS', 'P-1', '2025-02-01', 4.80, '01900000-0000-7000-8000-000000000009');
INSERT INTO wms.rate_alias (id, warehouse_id, category, alias, rate_name, created_by)
VALUES ('01900000-0000-7000-8000-000000120004', '01900000-0000-7000-8000-0000000a0001', 'Storage', 'rent', 'Week', '01900000-0000-7000-8000-000000000009');

INSERT INTO wms.cost_rate (id, warehouse_id, category, name, basis, value, currency, params, valid, created_by)
VALUES ('01900000-0000-7000-8000-000000130001', '01900000-0000-7000-8000-0000000a0001', 'Storage', 'Week', 'pallet_week', 3.90, 'GBP', '{"tier": ""}', '[2025-01-01,2026-01-01)', '01900000-0000-7000-8000-000000000009');
INSERT INTO wms.storage_run (warehouse_id, snapshot_on) VALUES ('01900000-0000-7000-8000-0000000a0001', '2025-01-13');
INSERT INTO wms.storage_ledger (warehouse_id, sku_id, lot_id, snapshot_on, week_ending, units, cartons, pallets, cartons_per_pallet, cpp_source, rate_id, rate, amount, currency,
  period_start, period_end, state, input_max_seq, invoice_id)
VALUES ('01900000-0000-7000-8000-0000000a0001', '01900000-0000-7000-8000-0000000c0001', '01900000-0000-7000-8000-0000000d0001', '2025-01-13', '2025-01-19', 1020, 17, 1, 36, 'lot',
        '01900000-0000-7000-8000-000000130001', 3.90, 3.90, 'GBP', '2024-12-16', '2025-01-15', 'locked', 1, '01900000-0000-7000-8000-000000120001');
INSERT INTO wms.cost_charge (storage_ledger_id, warehouse_id, sku_id, lot_id, category, name, rate_id, quantity, rate, amount, currency, charge_on, period_start, period_end, state, dedupe_key)
SELECT id, warehouse_id, sku_id, lot_id, 'Storage', 'Week', rate_id, pallets, rate, amount, currency, snapshot_on, period_start, period_end, 'final', 'st:1:1' FROM wms.storage_ledger;

INSERT INTO wms.recon_run (id, invoice_id, run_no, engine_version, currency, expected_total, invoiced_total, difference, abs_tolerance, pct_tolerance, started_at, created_by)
VALUES ('01900000-0000-7000-8000-000000140001', '01900000-0000-7000-8000-000000120001', 1, '1', 'GBP', 3.90, 4.00, 0.10, 0.01, 0, now(), '01900000-0000-7000-8000-000000000009');
INSERT INTO wms.recon_line (run_id, category, name, currency, expected_qty, invoiced_qty, expected_amount, invoiced_amount, difference, rate_variance, qty_variance, result,
  decision, decided_by, decided_at)
VALUES ('01900000-0000-7000-8000-000000140001', 'Storage', 'Week', 'GBP', 1, 1, 3.90, 4.00, 0.10, 0.10, 0, 'overbilled', 'disputed', '01900000-0000-7000-8000-000000000009', now());
INSERT INTO wms.dispute (id, invoice_id, number, reason_code, reason, disputed_amount, currency, created_by)
VALUES ('01900000-0000-7000-8000-000000140002', '01900000-0000-7000-8000-000000120001', 'D-1', 'rate', 'The rate was agreed', 0.10, 'GBP', '01900000-0000-7000-8000-000000000009');
INSERT INTO wms.dispute_line (id, dispute_id, recon_line_id, disputed_amount)
SELECT '01900000-0000-7000-8000-000000140003', '01900000-0000-7000-8000-000000140002', id, 0.10 FROM wms.recon_line;
INSERT INTO wms.dispute_event (dispute_id, kind, status, note, actor_id)
VALUES ('01900000-0000-7000-8000-000000140002', 'opened', 'open', NULL, '01900000-0000-7000-8000-000000000009');

INSERT INTO wms.import_batch (id, kind, warehouse_id, file_name, file_key, file_sha256, bytes, created_by)
VALUES ('01900000-0000-7000-8000-000000150001', 'inventory_ledger', '01900000-0000-7000-8000-0000000a0001', 'ledger.csv', 'k/2', repeat('a', 64), 12, '01900000-0000-7000-8000-000000000009');
INSERT INTO wms.import_issue (import_batch_id, row_no, issue_no, severity, column_name, code, detail)
VALUES ('01900000-0000-7000-8000-000000150001', 3, 1, 'error', 'Cartons_In', 'not-a-number', '"x" is not a number');
INSERT INTO wms.import_row (import_batch_id, row_no, line_no, document, effective_at, facts)
VALUES ('01900000-0000-7000-8000-000000150001', 3, 4, 'INB-1', now(), '{"sku": "CS 008"}');
INSERT INTO wms.export_job (id, kind, created_by) VALUES ('01900000-0000-7000-8000-000000150002', 'stock', '01900000-0000-7000-8000-000000000009');

UPDATE wms.invoice SET approved_by = '01900000-0000-7000-8000-000000000009', approved_at = now(), payable = 4.80, void_reason = 'test';
INSERT INTO wms.integrity_run (id, started_at, requested_by) VALUES ('01900000-0000-7000-8000-000000160001', now(), '01900000-0000-7000-8000-000000000009');
INSERT INTO wms.integrity_result (run_id, check_name, severity, outcome, violations, sample, duration_ms)
VALUES ('01900000-0000-7000-8000-000000160001', 'never-negative', 'critical', 'failed', 1, '[{"units": -1}]', 12);
INSERT INTO wms.adjustment_proposal (id, warehouse_id, adjustment, units, created_by)
SELECT '01900000-0000-7000-8000-000000170001', id, '{"lines": []}', 5000, '01900000-0000-7000-8000-000000000009' FROM wms.warehouse LIMIT 1;
