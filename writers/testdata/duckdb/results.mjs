// Reads the three forms of one results file with DuckDB and says where they
// differ: node results.mjs FOLDER with results.csv, results.parquet and
// results.ndjson. Prints the types of the Parquet columns as JSON; ends with 1
// and the differences when there are any.
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

const folder = process.argv[2];
const db = await (await DuckDBInstance.create(':memory:')).connect();
await db.run(`SET TimeZone = 'UTC'`);
const rows = async (sql) => (await db.runAndReadAll(sql)).getRowObjectsJson();
const file = (name) => `'${join(folder, name)}'`;
const failures = [];

const types = {};
for (const c of await rows(`DESCRIBE SELECT * FROM ${file('results.parquet')}`)) types[c.column_name] = c.column_type;
const spec = Object.entries(types).map(([name, type]) => `'${name}': '${type}'`).join(', ');
const sources = {
  csv: `read_csv(${file('results.csv')}, header = true, columns = {${spec}})`,
  ndjson: `read_json(${file('results.ndjson')}, format = 'newline_delimited', columns = {${spec}})`,
};
const parquet = file('results.parquet');
const [{ n }] = await rows(`SELECT count(*) AS n FROM ${parquet}`);
for (const [kind, from] of Object.entries(sources)) {
  for (const [a, b] of [[parquet, from], [from, parquet]]) {
    for (const row of await rows(`SELECT * FROM ${a} EXCEPT ALL SELECT * FROM ${b} ORDER BY "row" LIMIT 3`)) {
      failures.push(`${kind}: ${JSON.stringify(row)}`);
    }
  }
}
for (const c of await rows(`SELECT path_in_schema AS name, compression, encodings FROM parquet_metadata(${parquet})`)) {
  if (c.compression !== 'ZSTD') failures.push(`${c.name}: ${c.compression}`);
  if (c.name === 'status' && !c.encodings.includes('DICTIONARY')) failures.push(`status: ${c.encodings}`);
}

console.log(JSON.stringify({ rows: Number(n), types }));
for (const f of failures) console.error(f);
process.exit(failures.length > 0 ? 1 : 0);
