// Runs a query and prints how many rows it gives: node query.mjs SQL
import { DuckDBInstance } from "@duckdb/node-api";

const instance = await DuckDBInstance.create(":memory:");
const connection = await instance.connect();
const result = await connection.runAndReadAll(process.argv[2]);
console.log(result.getRows().length);
