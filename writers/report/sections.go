package report

import (
	"net/url"
	"strconv"
)

// banner says how the run ended and what to do.
func (m *markup) banner(p *page) {
	m.put("<header>\n<h1>{} ", p.Title)
	m.optional("<small>{}</small>", p.Subtitle)
	m.put("</h1>\n<div class=\"outcome {}\"><strong>{}</strong><p>{}</p>\n", string(p.Verdict), p.Headline, p.Outcome)
	m.optional("<p>What to do: {}</p>", p.Remedy)
	for _, step := range p.Next {
		m.put("<p>{}: <code>{}</code></p>", step.Say, step.Command)
	}
	m.put("</div>\n</header>\n")
}

// patterns are what columns are filled with beside plain colours.
func (m *markup) patterns() {
	m.put(`<svg class="defs" aria-hidden="true" focusable="false"><defs>` +
		`<pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">` +
		`<rect class="ground" width="5" height="5"/><path d="M0 0V5"/></pattern></defs></svg>` + "\n")
}

func (m *markup) rows(p *page) {
	m.put(`<section aria-labelledby="rows"><h2 id="rows">Rows</h2>` + "\n")
	if bar := meterOf(p.Counts); bar != nil {
		m.put(`<svg class="meter" role="img" aria-label="{}">`, bar.Alternative)
		for _, b := range bar.Bars {
			m.put(`<rect class="{}" x="{}%" width="{}%" height="100%"/>`, b.Class, b.X, b.Width)
		}
		m.put("</svg>\n")
	}
	m.put("<dl>")
	m.facts(p.Counts)
	m.put("</dl>\n" + `<dl class="few">`)
	m.facts(p.Facts)
	m.put("</dl>\n</section>\n")
}

func (m *markup) errors(explained, counted []errorGroup) {
	m.put(`<section aria-labelledby="errors"><h2 id="errors">Errors</h2>` + "\n")
	if len(explained) == 0 {
		m.put("<p>None.</p>")
	}
	for i := range explained {
		m.explained(&explained[i], i >= openErrors)
	}
	if len(counted) > 0 {
		m.counted(counted)
	}
	m.put("</section>\n")
}

func (m *markup) warnings(groups []warningGroup) {
	if len(groups) == 0 {
		return
	}
	m.put(`<section aria-labelledby="warnings"><h2 id="warnings">Warnings</h2><p>Of rows that went through.</p>` + "\n")
	for _, g := range groups {
		m.put(`<div class="error skipped"><h3>{} <span>(<span data-key="{}" data-value="{}">{}</span>{})</span></h3>`+"\n",
			g.Code, g.Key, g.Raw, g.Count, g.Columns)
		m.put("<p>{}</p><p><strong>What to do:</strong> {}</p><p>First: {}</p></div>\n", g.Meaning, g.Remedy, g.First)
	}
	m.put("</section>\n")
}

// openErrors is how many codes show what is behind them at once: a phone's page of
// ten kinds stays below 5,000 px.
const openErrors = 1

func (m *markup) explained(g *errorGroup, folded bool) {
	var begin, headed, end literal = `<div class="error {}">`, "", "</div>\n"
	if folded {
		begin, headed, end = `<details class="error {}"><summary>`, "</summary>", "</details>\n"
	}
	m.put(begin+`<h3>{} <span>({}): <span data-key="{}" data-value="{}">{}</span></span></h3>`+headed, g.Status, g.Code, g.Status, g.Key, g.Raw, g.Count)
	m.put("<p>{}</p><p><strong>What to do:</strong> {}</p>\n", g.Meaning, g.Remedy)
	m.table("Example rows of "+g.Code, "", "")
	m.put(`<th scope="col" class="n">Row</th><th scope="col">Where</th><th scope="col">Message</th></tr></thead><tbody>` + "\n")
	for _, e := range g.Examples {
		where := "not known"
		if e.Source != "" {
			where = e.Source + ", row " + strconv.FormatInt(e.SourceRow, 10)
		}
		m.put(`<tr><td class="n">{}</td><td>{}</td><td>{}</td></tr>`+"\n", strconv.FormatInt(e.Row, 10), where, e.Message)
	}
	m.put("</tbody></table></div>" + end)
}

func (m *markup) counted(groups []errorGroup) {
	m.put("<h3>Less frequent codes</h3>")
	m.table("Less frequent codes", "", "count")
	m.put(`<th scope="col">Code</th><th scope="col">Status</th><th scope="col" class="n">Rows</th></tr></thead><tbody>` + "\n")
	for _, g := range groups {
		m.put(`<tr><th scope="row">{}</th><td>{}</td><td class="n"><span data-key="{}" data-value="{}">{}</span></td></tr>`+"\n",
			g.Code, g.Status, g.Key, g.Raw, g.Count)
	}
	m.put("</tbody></table></div>")
}

func (m *markup) overTime(c history) {
	m.put(`<section aria-labelledby="time"><h2 id="time">Over time</h2>` + "\n")
	if c.Rows != nil {
		m.chart(c.Rows)
	} else {
		m.put("<p>No row was finished.</p>")
	}
	m.put("\n")
	if c.Requests != nil {
		m.chart(c.Requests)
	}
	m.optional("<p>{}</p>", c.Refusals)
	m.put("\n")
	if len(c.Table) > 0 {
		m.timeTable(c)
	}
	m.put("</section>\n")
}

func (m *markup) timeTable(c history) {
	m.put("<details><summary>The same as a table</summary>")
	m.table("Counts over time", "time-table", "count")
	m.put(`<th scope="col">From</th>`)
	for _, name := range c.Columns {
		m.put(`<th scope="col" class="n">{}</th>`, name)
	}
	m.put("</tr></thead><tbody>\n")
	for _, line := range c.Table {
		m.put(`<tr><th scope="row">{}</th>`, line.From)
		for _, count := range line.Counts {
			m.put(`<td class="n">{}</td>`, count)
		}
		m.put("</tr>\n")
	}
	m.put("</tbody></table></div></details>")
}

func (m *markup) latency(bars []LatencyBar, marks []quantile) {
	c := latencyChart(bars, marks)
	if c == nil {
		m.put("\n")
		return
	}
	m.put(`<section aria-labelledby="latency"><h2 id="latency">Latency</h2>` + "\n")
	m.chart(c)
	m.put("<details><summary>The same as a table</summary>")
	m.table("Rows by latency", "latency-table", "count")
	m.put(`<th scope="col" class="n">From</th><th scope="col" class="n">to below</th><th scope="col" class="n">Rows</th></tr></thead><tbody>` + "\n")
	for _, b := range bars {
		m.put(`<tr><td class="n">{}</td><td class="n">{}</td><td class="n">{}</td></tr>`+"\n", millisText(b.From), millisText(b.To), Grouped(b.Rows))
	}
	m.put("</tbody></table></div></details></section>\n")
}

func (m *markup) breakdown(b *breakdown) {
	m.put("<section><h2>{}</h2>", b.Title)
	m.table(b.Title, "", "breakdown")
	m.put(`<th scope="col">Value</th><th scope="col" class="n">Devices</th><th scope="col" class="n">Share</th>` +
		`<th scope="col" class="share">Beside the largest</th></tr></thead><tbody>` + "\n")
	for _, bar := range b.Bars {
		m.put(`<tr><th scope="row">{}</th><td class="n"`, bar.Name)
		m.key(bar.Key, strconv.FormatInt(bar.Count, 10))
		m.put(`>{}</td><td class="n">{}</td><td class="share"><svg aria-hidden="true"><rect class="ok" width="{}%" height="100%"/></svg></td></tr>`+"\n",
			Grouped(bar.Count), percentOf(b.Bars, bar.Count), share(b.Bars, bar.Count))
	}
	m.put("</tbody></table></div></section>")
}

func (m *markup) inputs(inputs []Input, more []int) {
	m.put(`<section aria-labelledby="inputs"><h2 id="inputs">Inputs: what was detected and mapped</h2>` + "\n")
	for i, in := range inputs {
		m.put("<h3>{}</h3><p>{}</p>\n", in.Name, in.Detected)
		if len(in.Columns) > 0 {
			m.columns(in.Name, in.Columns)
		}
		if more[i] != 0 {
			m.put("<p>and {} more columns, see job.json</p>", strconv.Itoa(more[i]))
		}
		m.put("\n")
	}
	m.put("</section>\n")
}

func (m *markup) columns(input string, columns []Column) {
	m.table("Columns of "+input, "", "")
	m.put(`<th scope="col">Column</th><th scope="col">Target</th><th scope="col">Use</th></tr></thead><tbody>` + "\n")
	for _, c := range columns {
		m.put(`<tr><th scope="row">{}</th><td>{}</td><td>{}</td></tr>`+"\n", c.Column, c.Target, c.Use)
	}
	m.put("</tbody></table></div>")
}

func (m *markup) settings(settings []fact) {
	m.put(`<section aria-labelledby="settings"><h2 id="settings">Settings</h2>` + "\n")
	if len(settings) == 0 {
		m.put("<p>All settings have their defaults.</p></section>\n")
		return
	}
	m.table("Table of settings", "", "count")
	m.put(`<th scope="col">Setting</th><th scope="col">Value</th></tr></thead><tbody>` + "\n")
	for _, s := range settings {
		m.put(`<tr><th scope="row">{}</th><td>{}</td></tr>`+"\n", s.Name, s.Value)
	}
	m.put("</tbody></table></div><p>All others have their defaults.</p></section>\n")
}

// files lists links to what lies beside the page.
func (m *markup) files(files []fact) {
	m.put(`<section aria-labelledby="files"><h2 id="files">Files</h2>` + "\n<ul>")
	for _, f := range files {
		m.put(`<li><a href="./{}">{}</a>: {}</li>`+"\n", url.PathEscape(f.Name), f.Name, f.Value)
	}
	m.put("</ul></section>\n")
}
