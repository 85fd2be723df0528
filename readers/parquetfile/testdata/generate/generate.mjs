// Writes the Parquet files that parquet_duckdb_test.go reads, and what DuckDB
// says stands in them. Run `npm ci && npm run generate` in this folder; the
// results are committed, so tests need neither node nor DuckDB.
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

const out = resolve(process.argv[2] ?? '../parquet');
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const db = await (await DuckDBInstance.create(':memory:')).connect();
await db.run(`SET TimeZone = 'UTC'`);
await db.run(`SET threads = 1`);
await db.run(`CREATE TYPE mood AS ENUM ('sad', 'ok', 'žarko')`);

// name: [how row i (0, 1, …) is made, how DuckDB's value is written down as text]
const text = (c) => `${c}::VARCHAR`;
const json = (c) => `to_json(${c})::VARCHAR`;
const types = {
  flag: [`i % 3 = 0`, text],
  i8: [`(i * 37 % 256 - 128)::TINYINT`, text],
  i16: [`(i * 4099 % 65536 - 32768)::SMALLINT`, text],
  i32: [`CASE i WHEN 1 THEN -2147483648 WHEN 2 THEN 2147483647 ELSE i * 7919 END::INTEGER`, text],
  i64: [`CASE i WHEN 1 THEN -9223372036854775808 WHEN 2 THEN 9223372036854775807 ELSE i * 1234567890123 END::BIGINT`, text],
  u8: [`(i * 37 % 256)::UTINYINT`, text],
  u16: [`(i * 4099 % 65536)::USMALLINT`, text],
  u32: [`(4294967295 - i * 7919)::UINTEGER`, text],
  u64: [`(18446744073709551615 - i::HUGEINT * 1234567890123)::UBIGINT`, text],
  few: [`(i % 3)::BIGINT`, text],
  f32: [`CASE i WHEN 1 THEN 'nan' WHEN 2 THEN 'inf' WHEN 3 THEN '-inf' WHEN 4 THEN '-0.0' WHEN 5 THEN '3.4e38' WHEN 6 THEN '1e-40' ELSE (i / 7)::VARCHAR END::FLOAT`, text],
  f64: [`CASE i WHEN 1 THEN 'nan' WHEN 2 THEN 'inf' WHEN 3 THEN '-inf' WHEN 4 THEN '-0.0' WHEN 5 THEN '1.7e308' WHEN 6 THEN '5e-324' ELSE (i / 7)::VARCHAR END::DOUBLE`, text],
  dec4: [`((i * 331 % 19999 - 9999) / 100)::DECIMAL(4,2)`, text],
  dec9: [`((i * 33100007 % 1999999999 - 999999999)::DECIMAL(18,0) / 100)::DECIMAL(9,2)`, text],
  dec15: [`CASE i WHEN 1 THEN '-0.001' WHEN 2 THEN '999999999999.999' ELSE (i * 1234567)::VARCHAR || '.125' END::DECIMAL(15,3)`, text],
  dec38: [`CASE i WHEN 1 THEN '-0.0000000001' WHEN 2 THEN '-9999999999999999999999999999.9999999999' ELSE (i * i)::VARCHAR || '12345678901234.5' END::DECIMAL(38,10)`, text],
  words: [`CASE i WHEN 1 THEN '' WHEN 2 THEN 'Ana Čuić' WHEN 3 THEN '\u{1F4F1}' ELSE 'row ' || i END`, text],
  city: [`['Zagreb', 'Split', 'Київ'][i % 3 + 1]`, text],
  feeling: [`['sad', 'ok', 'žarko'][i % 3 + 1]::mood`, text],
  id: [`('00000000-0000-4000-8000-' || lpad((i * 99991)::VARCHAR, 12, '0'))::UUID`, text],
  bytes: [`encode('bytes ' || i)`, (c) => `decode(${c})`],
  doc: [`('{"n": ' || i || ', "s": "x"}')::JSON`, text],
  born: [`CASE i WHEN 1 THEN '0001-01-01' WHEN 2 THEN '9999-12-31' WHEN 3 THEN '1969-12-31' ELSE (DATE '2000-02-27' + i::INTEGER)::VARCHAR END::DATE`, text],
  at_time: [`CASE i WHEN 1 THEN '00:00:00' WHEN 2 THEN '23:59:59.999999' ELSE '12:34:' || lpad((i % 60)::VARCHAR, 2, '0') || '.25' END::TIME`, text],
  seen: [`CASE i WHEN 1 THEN '1969-12-31 23:59:59.999999' WHEN 2 THEN '0001-01-01 00:00:00' ELSE '2024-02-29 12:00:00.5' END::TIMESTAMP + (i || ' hours')::INTERVAL`, text],
  seen_s: [`('2024-02-29 12:00:00'::TIMESTAMP + (i || ' seconds')::INTERVAL)::TIMESTAMP_S`, text],
  seen_ms: [`('1960-02-29 12:00:00.001'::TIMESTAMP + (i || ' milliseconds')::INTERVAL)::TIMESTAMP_MS`, text],
  seen_ns: [`('2024-02-29 12:00:00.12345678' || i % 10)::TIMESTAMP_NS`, text],
  seen_tz: [`('1969-12-31 22:00:00.5+00'::TIMESTAMPTZ + (i || ' minutes')::INTERVAL)`, text],
  span: [`to_months(i::INTEGER) + to_days(i::INTEGER * 2) + to_milliseconds(i * 1001)`,
    (c) => `CASE WHEN ${c} IS NOT NULL THEN 'P' || datepart('year', ${c}) * 12 + datepart('month', ${c}) || 'M' || datepart('day', ${c}) || 'DT' || rtrim(rtrim(format('{:.3f}', epoch(${c} - to_months((datepart('year', ${c}) * 12 + datepart('month', ${c}))::INTEGER) - to_days(datepart('day', ${c})::INTEGER))), '0'), '.') || 'S' END`],
  none: [`NULL::VARCHAR`, text],
  tags: [`CASE i WHEN 1 THEN [] WHEN 2 THEN [NULL] WHEN 3 THEN ['a', NULL, ''] ELSE ['tag' || i % 4, 'all'] END::VARCHAR[]`, json],
  numbers: [`range(i % 5)::BIGINT[]`, json],
  grid: [`CASE i WHEN 1 THEN [[], NULL, [1, NULL]] ELSE [[i, i + 1], [i]] END::INTEGER[][]`, json],
  attrs: [`CASE i WHEN 1 THEN MAP {} ELSE MAP {'vip': 'yes', 'city ' || i: NULL} END::MAP(VARCHAR, VARCHAR)`, json],
  scores: [`MAP {i: i * 2, i + 1: NULL}::MAP(INTEGER, BIGINT)`, json],
  customAttributes: [`{'city': 'Split', 'n': i, 'deep': {'a': CASE WHEN i % 2 = 0 THEN i END, 'l': ['x', NULL]}}`, json],
  visits: [`CASE i WHEN 1 THEN [] ELSE [{'day': i, 'pages': ['p', 'q']}, NULL, {'day': NULL, 'pages': []}] END::STRUCT("day" INTEGER, pages VARCHAR[])[]`, json],
};

const nullable = (name, make) => (name === 'flag' ? make : `CASE WHEN i % 11 = 10 THEN NULL ELSE ${make} END`);
const made = Object.entries(types).map(([name, [make]]) => `${nullable(name, make)} AS "${name}"`);
await db.run(`CREATE TABLE types AS SELECT ${made.join(', ')} FROM range(44) r(i)`);
const told = Object.entries(types).map(([name, [, tell]]) => `${tell(`"${name}"`)} AS "${name}"`);
await db.run(`COPY (SELECT ${told.join(', ')} FROM types) TO '${join(out, 'types.ndjson')}' (FORMAT json)`);
for (const codec of ['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli']) {
  for (const version of ['v1', 'v2']) {
    await db.run(`COPY types TO '${join(out, `types-${codec}-${version}.parquet`)}' (FORMAT parquet, CODEC '${codec}', PARQUET_VERSION '${version}')`);
  }
}
await db.run(`COPY (SELECT 1 AS n) TO '${join(out, 'lz4_raw.parquet')}' (FORMAT parquet, CODEC 'lz4_raw')`);

// Several row groups and what the dotted columns are made of.
await db.run(`CREATE TABLE people AS SELECT i AS registrationId,
  CASE WHEN i % 7 <> 6 THEN {'email': CASE WHEN i % 5 <> 4 THEN 'p' || i % 50 || '@example.com' END, 'externalId': i} END AS "identity",
  range(i % 3)::VARCHAR[] AS tags FROM range(5000) r(i)`);
await db.run(`COPY (SELECT registrationId::VARCHAR AS registrationId, "identity".email AS "identity.email",
  "identity".externalId::VARCHAR AS "identity.externalId", to_json(tags)::VARCHAR AS tags FROM people)
  TO '${join(out, 'people.ndjson.gz')}' (FORMAT json, COMPRESSION gzip)`);
for (const version of ['v1', 'v2']) {
  await db.run(`COPY people TO '${join(out, `people-zstd-${version}.parquet`)}' (FORMAT parquet, CODEC 'zstd', PARQUET_VERSION '${version}', ROW_GROUP_SIZE 2048)`);
}
