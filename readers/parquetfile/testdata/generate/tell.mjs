// Says what DuckDB reads in a Parquet file: its column names and types on the first
// line, then an array a row. Lists, structs, maps and variants are JSON, blobs
// hexadecimal digits, all else is DuckDB's text. node tell.mjs FILE
import { DuckDBInstance } from '@duckdb/node-api';

const quoted = (text) => `'${text.replaceAll("'", "''")}'`;
const file = `read_parquet(${quoted(process.argv[2])}, hive_partitioning = false)`;
const db = await (await DuckDBInstance.create(':memory:')).connect();
await db.run(`SET TimeZone = 'UTC'`);
await db.run(`SET memory_limit = '1GB'`);
const columns = (await db.runAndReadAll(`DESCRIBE SELECT * FROM ${file}`)).getRows();
const told = columns.map(([name, type]) => {
  const column = `"${name.replaceAll('"', '""')}"`;
  if (type === 'BLOB') return `hex(${column})`;
  if (type === 'VARIANT') return `${column}::JSON::VARCHAR`;
  if (/^(STRUCT|MAP|UNION|JSON)|\[\]$/.test(type)) return `to_json(${column})::VARCHAR`;
  return `${column}::VARCHAR`;
});
console.log(JSON.stringify(columns.map(([name, type]) => [name, type])));
const result = await db.stream(`SELECT ${told.join(', ')} FROM ${file}`);
for await (const rows of result.yieldRows()) {
  for (const row of rows) console.log(JSON.stringify(row));
}
