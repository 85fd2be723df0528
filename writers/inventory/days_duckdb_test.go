package inventory_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"pushbatch/testdata/writertest"
	"pushbatch/writers/inventory"
)

// blocks are the fenced blocks of a help topic in a language.
func blocks(t *testing.T, topic, language string) (texts []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "cmd", "pushbatch", "help", topic))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)<!-- test: skip: (?:run|parsed) by TestDaysInDuckDB -->\n```"+language+"\n(.*?)```").FindAllStringSubmatch(string(data), -1) {
		texts = append(texts, m[1])
	}
	return texts
}

// What help tables and help recipes say about days runs in DuckDB: the feed
// applied to the first day gives the last, row by row, and the history has every
// day as it was. What is for Athena and Spark names columns that are there.
func TestDaysInDuckDB(t *testing.T) {
	t.Parallel()
	parsed := 0
	run := []string{}
	for _, sql := range append(blocks(t, "tables.md", "sql"), blocks(t, "recipes.md", "sql")...) {
		if strings.Contains(sql, "EXTERNAL TABLE") || strings.Contains(sql, "USING PARQUET") {
			demandTable(t, sql)
			parsed++
			continue
		}
		run = append(run, strings.Split(strings.TrimSpace(sql), ";\n")...)
	}
	if parsed != 3 || len(run) < 9 {
		t.Fatalf("%d tables, %d queries", parsed, len(run))
	}
	var source struct {
		Sources []struct {
			Tables []struct {
				Name string
				Meta map[string]string
			}
		}
	}
	yamls := blocks(t, "tables.md", "yaml")
	if err := yaml.Unmarshal([]byte(yamls[0]), &source); err != nil || len(source.Sources[0].Tables) != 2 {
		t.Fatalf("%+v, %v", source, err)
	}
	writertest.DuckDB(t)
	for _, table := range source.Sources[0].Tables {
		run = append(run, "SELECT * FROM "+table.Meta["external_location"])
	}

	home := t.TempDir()
	a := newAccount(11, 500)
	at := time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)
	for day := range 5 {
		publishDay(t, a, filepath.Join(home, "days")+"/", at, day > 0)
		at = at.Add(24 * time.Hour)
		a.changed = make(map[string]bool)
		a.live()
	}
	check := [][2]string{
		{"devices of the last day", `SELECT registration_id FROM (` + alive + `) EXCEPT SELECT registration_id FROM devices WHERE day = '2026-03-05'`},
		{"the other way", `SELECT registration_id FROM devices WHERE day = '2026-03-05' EXCEPT (` + alive + `)`},
		{"history", `(SELECT d.day, registration_id, person_id, os_version FROM device_history h JOIN (SELECT DISTINCT day FROM devices) d ON d.day >= valid_from AND (valid_to IS NULL OR d.day < valid_to)) EXCEPT ALL SELECT day, registration_id, person_id, os_version FROM devices`},
		{"history, the other way", `SELECT day, registration_id, person_id, os_version FROM devices EXCEPT ALL (SELECT d.day, registration_id, person_id, os_version FROM device_history h JOIN (SELECT DISTINCT day FROM devices) d ON d.day >= valid_from AND (valid_to IS NULL OR d.day < valid_to))`},
	}
	for _, c := range a.layout.Columns() {
		if c.Name == "exported_at" {
			continue
		}
		text := `"` + c.Name + `"`
		if c.Type == "timestamp" {
			text = `strftime("` + c.Name + `" AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')`
		}
		check = append(check, [2]string{c.Name, fmt.Sprintf(`
			WITH first AS (SELECT registration_id, CAST(%[1]s AS VARCHAR) AS v FROM devices WHERE day = '2026-03-01'),
			last AS (SELECT registration_id, CAST(%[1]s AS VARCHAR) AS v FROM devices WHERE day = '2026-03-05'),
			feed AS (SELECT registration_id, list("after" ORDER BY day)[-1] AS v FROM changes WHERE "column" = '%[2]s' GROUP BY ALL)
			SELECT last.registration_id, last.v, CASE WHEN feed.registration_id IS NULL THEN first.v ELSE feed.v END AS applied
			FROM last LEFT JOIN feed USING (registration_id) LEFT JOIN first USING (registration_id)
			WHERE last.v IS DISTINCT FROM (CASE WHEN feed.registration_id IS NULL THEN first.v ELSE feed.v END)`, text, c.Name)})
	}
	data, err := json.Marshal(map[string]any{"run": run, "check": check})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(home, "sql.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	writertest.RunDuckDB(t, "days.mjs", home, file)
}

// alive are the devices that the first day and the feed leave.
const alive = `SELECT registration_id FROM (
	SELECT registration_id, 'appeared' AS change, DATE '2026-03-01' AS day FROM devices WHERE day = '2026-03-01'
	UNION ALL SELECT registration_id, change, day FROM changes WHERE change <> 'changed'
) GROUP BY registration_id HAVING list(change ORDER BY day)[-1] = 'appeared'`

// demandTable checks a CREATE TABLE of Athena or Spark against the columns.
func demandTable(t *testing.T, sql string) {
	t.Helper()
	types := map[string]string{"text": "string", "json": "string", "boolean": "boolean", "timestamp": "timestamp"}
	have := map[string]string{"day": "date"}
	for _, c := range inventory.NewLayout(true, true).Columns() {
		have[c.Name] = types[c.Type]
	}
	if strings.Contains(sql, "push_changes") {
		have = map[string]string{}
		for _, name := range []string{"registration_id", "application_id", "channel", "change", "column", "before", "after"} {
			have[name] = "string"
		}
	}
	columns := regexp.MustCompile("(?m)^  `?(\\w+)`? (string|boolean|timestamp|date),?$").FindAllStringSubmatch(sql, -1)
	if len(columns) < 5 || strings.Count(sql, "(") != strings.Count(sql, ")") || !strings.Contains(sql, "PARTITIONED BY (day") {
		t.Errorf("not understood:\n%s", sql)
	}
	var names []string
	for _, c := range columns {
		if have[c[1]] != c[2] || slices.Contains(names, c[1]) {
			t.Errorf("column %s is %q, the table says %s", c[1], have[c[1]], c[2])
		}
		names = append(names, c[1])
	}
}
