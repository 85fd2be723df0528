package report

import "strconv"

// chart draws columns above an axis. Text stands in a scale of its own at the
// left, so that only the area grows with the screen.
func (m *markup) chart(c *chart) {
	m.put("<figure><figcaption>{}</figcaption>", c.Caption)
	m.legend(c.Legend)
	m.put("\n"+`<div class="plot" role="img" aria-label="{}">`+"\n"+`<svg class="scale">`, c.Alternative)
	for _, t := range c.Scale {
		m.put(`<text x="88%" y="{}" dy="4" text-anchor="end">{}</text>`, t.At, t.Text)
	}
	m.put("</svg>\n"+`<svg class="area" data-chart="{}">`, c.ID)
	for _, t := range c.Scale {
		m.put(`<line x1="0" x2="100%" y1="{}" y2="{}"/>`, t.At, t.At)
	}
	m.put("\n")
	m.bars(c.Layers)
	m.marks(c.Marks)
	m.put("\n")
	for _, t := range c.Ticks {
		m.put(`<text x="{}%" y="182" text-anchor="{}">{}</text>`, t.At, t.Anchor, t.Text)
	}
	m.put("</svg></div></figure>\n")
}

func (m *markup) legend(colours []legend) {
	if len(colours) == 0 {
		return
	}
	m.put("\n" + `<p class="legend">`)
	for _, l := range colours {
		m.put("<span>")
		m.colour(l.Class)
		m.put("{}</span> ", l.Name)
	}
	m.put("</p>")
}

func (m *markup) bars(layers []drawn) {
	for _, l := range layers {
		m.put(`<g class="bars {}">`, l.Class)
		for _, b := range l.Bars {
			m.put(`<rect x="{}%" width="{}%" y="{}" height="{}"><title>{}</title></rect>`+"\n", b.X, b.Width, b.Y, b.Height, b.Title)
		}
		m.put("</g>")
	}
}

func (m *markup) marks(marks []mark) {
	for _, k := range marks {
		m.put(`<g class="mark"><line x1="{}%" x2="{}%" y1="{}" y2="162"/>`, k.At, k.At, k.Y)
		m.put(`<text x="{}%" y="{}" dx="{}" dy="9" text-anchor="{}">{}</text></g>`, k.At, k.Y, strconv.Itoa(k.Shift), k.Anchor, k.Text)
	}
}
