package console

import (
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"pushbatch/writers/report"
)

// Wrapped breaks text into indented lines of at most textWidth columns.
func Wrapped(text, indent string) string {
	var b strings.Builder
	line := indent
	for _, word := range strings.Fields(text) {
		if len(line) > len(indent) && len([]rune(line))+1+len([]rune(word)) > textWidth {
			b.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return b.String() + line + "\n"
}

// textWidth is how wide help texts run, in columns.
const textWidth = 88

var (
	markdownLink    = regexp.MustCompile(`\[([^\]]+)\]\(([^)]+)\)`)
	markdownComment = regexp.MustCompile(`(?s)<!--.*?-->\n?`)
	markdownItem    = regexp.MustCompile(`^(\s*)(- |\d+\. )(.*)$`)
	markdownEntity  = strings.NewReplacer("**", "", "`", "", "&lt;", "<", `\*`, "*", `\|`, "|")
)

// Markdown makes terminal text of the Markdown that help topics use:
// headings, paragraphs, lists, tables and fenced blocks. Comments are left out.
func Markdown(text string) string {
	var b strings.Builder
	lines := strings.Split(markdownComment.ReplaceAllString(text, ""), "\n")
	for i := 0; i < len(lines); {
		line := lines[i]
		switch trimmed := strings.TrimSpace(line); {
		case trimmed == "":
			if !strings.HasSuffix(b.String(), "\n\n") {
				b.WriteString("\n")
			}
			i++
		case strings.HasPrefix(trimmed, "```"):
			i = renderFence(&b, lines, i)
		case strings.HasPrefix(trimmed, "|"):
			i = renderTable(&b, lines, i)
		case strings.HasPrefix(line, "#"):
			b.WriteString(strings.ToUpper(plainMarkdown(strings.TrimLeft(line, "# "))) + "\n")
			i++
		default:
			i = renderParagraph(&b, lines, i)
		}
	}
	return strings.Trim(b.String(), "\n")
}

// renderFence writes a fenced block, indented by four columns, as it stands.
func renderFence(b *strings.Builder, lines []string, i int) int {
	indent, _, _ := strings.Cut(lines[i], "`")
	for i++; i < len(lines) && strings.TrimSpace(lines[i]) != "```"; i++ {
		b.WriteString(strings.TrimRight("    "+strings.TrimPrefix(lines[i], indent), " ") + "\n")
	}
	return i + 1
}

// renderTable writes a row's first cell and under it, wrapped, the others, from the
// third on with the column's name in front; in a table of short words the second
// cell stands beside the first.
func renderTable(b *strings.Builder, lines []string, i int) int {
	names := tableCells(lines[i])
	var rows [][]string
	width := 0
	for i += 2; i < len(lines) && strings.HasPrefix(strings.TrimSpace(lines[i]), "|"); i++ {
		rows = append(rows, tableCells(lines[i]))
		width = max(width, utf8.RuneCountInString(rows[len(rows)-1][0]))
	}
	for _, row := range rows {
		if len(names) == 2 && width <= 16 {
			first := "  " + row[0] + strings.Repeat(" ", width-utf8.RuneCountInString(row[0])+2)
			indent := strings.Repeat(" ", width+4)
			b.WriteString(first + strings.TrimPrefix(Wrapped(row[1], indent), indent))
			continue
		}
		b.WriteString(Wrapped(row[0], "  "))
		for k, cell := range row[1:] {
			if k > 0 && cell != "" {
				cell = report.Capital(names[min(k+1, len(names)-1)]) + ": " + cell
			}
			if cell != "" {
				b.WriteString(Wrapped(cell, "      "))
			}
		}
	}
	return i
}

func tableCells(line string) []string {
	line = strings.ReplaceAll(strings.Trim(strings.TrimSpace(line), "|"), `\|`, "\x00")
	cells := strings.Split(line, "|")
	for i, cell := range cells {
		cells[i] = plainMarkdown(strings.TrimSpace(strings.ReplaceAll(cell, "\x00", "|")))
	}
	return cells
}

// renderParagraph writes a paragraph or one item of a list, wrapped.
func renderParagraph(b *strings.Builder, lines []string, i int) int {
	text, indent, first := strings.TrimSpace(lines[i]), "", ""
	if item := markdownItem.FindStringSubmatch(lines[i]); item != nil {
		first, text = item[1]+item[2], item[3]
		indent = strings.Repeat(" ", len(first))
	}
	for i++; i < len(lines); i++ {
		next := strings.TrimSpace(lines[i])
		if next == "" || strings.HasPrefix(next, "```") || strings.HasPrefix(next, "|") || markdownItem.MatchString(lines[i]) {
			break
		}
		text += " " + next
	}
	b.WriteString(first + strings.TrimPrefix(Wrapped(plainMarkdown(text), indent), indent))
	return i
}

// plainMarkdown drops the signs of emphasis; a link to another topic names it.
func plainMarkdown(text string) string {
	text = markdownLink.ReplaceAllStringFunc(text, func(link string) string {
		m := markdownLink.FindStringSubmatch(link)
		if topic, ok := strings.CutSuffix(m[2], ".md"); ok && !strings.Contains(topic, ":") {
			return m[1] + " (pushbatch help " + path.Base(topic) + ")"
		}
		return m[1]
	})
	return markdownEntity.Replace(text)
}
