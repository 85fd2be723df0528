// Reads the three forms of one inventory with DuckDB and says where they differ:
// node compare.mjs FOLDER with devices.csv, devices.ndjson, devices.parquet, the
// same with additional data as map.parquet and columns.parquet, and in folders
// by os below hive. Prints the types of the Parquet columns as JSON; ends with 1 and
// the differences when there are any.
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

const folder = process.argv[2];
const db = await (await DuckDBInstance.create(':memory:')).connect();
await db.run(`SET TimeZone = 'UTC'`);
const rows = async (sql) => (await db.runAndReadAll(sql)).getRowObjectsJson();
const file = (name) => `'${join(folder, name)}'`;
const failures = [];

const types = {};
for (const c of await rows(`DESCRIBE SELECT * FROM ${file('devices.parquet')}`)) types[c.column_name] = c.column_type;
const spec = Object.entries(types).map(([name, type]) => `'${name}': '${type}'`).join(', ');
const sources = {
  csv: `read_csv(${file('devices.csv')}, header = true, columns = {${spec}})`,
  ndjson: `read_json(${file('devices.ndjson')}, format = 'newline_delimited', columns = {${spec}})`,
};
const names = Object.keys(types).map((n) => (types[n] === 'JSON' ? `"${n}"::VARCHAR AS "${n}"` : `"${n}"`)).join(', ');
const numbered = (from) => `(SELECT row_number() OVER () AS line, ${names} FROM ${from})`;
const parquet = numbered(file('devices.parquet'));
const [{ n }] = await rows(`SELECT count(*) AS n FROM ${parquet}`);
for (const [kind, from] of Object.entries(sources)) {
  for (const [a, b] of [[parquet, numbered(from)], [numbered(from), parquet]]) {
    for (const row of await rows(`SELECT * FROM ${a} EXCEPT ALL SELECT * FROM ${b} ORDER BY line LIMIT 3`)) {
      failures.push(`${kind}: ${JSON.stringify(row)}`);
    }
  }
}

const [map] = await rows(`SELECT typeof(additional_data) AS type FROM ${file('map.parquet')} LIMIT 1`);
if (map.type !== 'MAP(VARCHAR, VARCHAR)') failures.push(`map: ${map.type}`);
const differing = await rows(`SELECT j.registration_id FROM ${file('map.parquet')} m POSITIONAL JOIN ${file('devices.parquet')} j
  WHERE m.registration_id <> j.registration_id OR (m.additional_data IS NULL) <> (j.additional_data IS NULL)
  OR m.additional_data['score'] IS DISTINCT FROM (j.additional_data->>'score')
  OR m.additional_data['source'] IS DISTINCT FROM (j.additional_data->>'source') LIMIT 3`);
if (differing.length > 0) failures.push(`map: ${JSON.stringify(differing)}`);

const spread = await rows(`SELECT c.registration_id FROM ${file('columns.parquet')} c POSITIONAL JOIN ${file('devices.parquet')} j
  WHERE c.registration_id <> j.registration_id OR c."additional_data.score" IS DISTINCT FROM (j.additional_data->>'score')::BIGINT
  OR c."additional_data.source" IS DISTINCT FROM (j.additional_data->>'source')
  OR c."additional_data.ok" IS DISTINCT FROM (j.additional_data->>'ok')::BOOLEAN LIMIT 3`);
if (spread.length > 0) failures.push(`columns: ${JSON.stringify(spread)}`);
const kinds = await rows(`SELECT typeof("additional_data.score") AS score, typeof("additional_data.ok") AS ok FROM ${file('columns.parquet')} LIMIT 1`);
if (kinds[0].score !== 'BIGINT' || kinds[0].ok !== 'BOOLEAN') failures.push(`columns: ${JSON.stringify(kinds)}`);

// Folders by value: the values that DuckDB reads out of their names are those of the one file.
const folders = `read_parquet(${file('hive/**/*.parquet')}, hive_partitioning = true, hive_types_autocast = false)`;
const moved = await rows(`SELECT h.registration_id FROM ${folders} h FULL JOIN ${file('devices.parquet')} j USING (registration_id)
  WHERE h.os IS DISTINCT FROM j.os OR h.status IS DISTINCT FROM j.status LIMIT 3`);
if (moved.length > 0) failures.push(`hive: ${JSON.stringify(moved)}`);

for (const name of ['devices.parquet', 'map.parquet', 'columns.parquet']) {
  const bare = await rows(`SELECT path_in_schema AS name, count(*) FILTER (stats_min_value IS NULL AND num_values > coalesce(stats_null_count, 0)) AS bare,
    count(*) FILTER (compression <> 'ZSTD') AS other FROM parquet_metadata(${file(name)}) GROUP BY ALL`);
  if (bare.length < 25) failures.push(`${name}: ${bare.length} columns`);
  for (const c of bare) if (c.bare != 0 || c.other != 0) failures.push(`${name}, ${c.name}: no statistics, or not zstd`);
}

console.log(JSON.stringify({ rows: Number(n), types }));
for (const f of failures) console.error(f);
process.exit(failures.length > 0 ? 1 : 0);
