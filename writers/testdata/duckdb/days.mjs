// Runs SQL over a folder of days: node days.mjs FOLDER FILE.json with
// {"run": [SQL, ...], "check": [[NAME, SQL], ...]}. A check is a query that must give no row.
// Ends with 1 and what was found when one does.
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

process.chdir(process.argv[2]);
const db = await (await DuckDBInstance.create(':memory:')).connect();
await db.run(`SET TimeZone = 'UTC'`);
const { run, check } = JSON.parse(readFileSync(process.argv[3], 'utf8'));
for (const sql of run) await db.run(sql);
let failures = 0;
for (const [name, sql] of check) {
  const rows = (await db.runAndReadAll(`SELECT * FROM (${sql}) LIMIT 3`)).getRowObjectsJson();
  if (rows.length > 0) {
    failures++;
    console.error(`${name}: ${JSON.stringify(rows)}`);
  }
}
console.log(JSON.stringify({ checks: check.length }));
process.exit(failures > 0 ? 1 : 0);
