package ops

// nearest returns the candidate with the smallest edit distance to name, and
// that distance. It returns nothing when even the best shares less than about
// half of its letters.
func nearest(name string, candidates []string) (best string, distance int) {
	folded := []rune(fold(name))
	for _, c := range candidates {
		other := []rune(fold(c))
		d := editDistance(folded, other)
		if d*2 > max(len(folded), len(other)) {
			continue
		}
		if best == "" || d < distance {
			best, distance = c, d
		}
	}
	return best, distance
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours that make b of a (optimal string alignment).
func editDistance(a, b []rune) int {
	before := make([]int, len(b)+1) // the row before last
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// Nearest returns the candidate that name is most likely a misspelling of,
// empty when none is near. Letter case, spaces, - and _ do not count.
func Nearest(name string, candidates []string) string {
	best, _ := nearest(name, candidates)
	return best
}

// Misspelling is Nearest for names that may well mean something else: at most a
// quarter of the letters of name, or one, differ.
func Misspelling(name string, candidates []string) string {
	best, distance := nearest(name, candidates)
	if distance > max(1, len(fold(name))/4) {
		return ""
	}
	return best
}
