package ops

// Catalogue is every code that Explain knows.
func Catalogue() map[string]Entry { return catalogue() }
