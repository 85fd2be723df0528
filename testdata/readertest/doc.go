// Package readertest proves that a batch.Source keeps the contract of the
// interface, whatever it reads.
//
//	func TestTabs(t *testing.T) {
//		readertest.TestSource(t, func() batch.Source { return openFile(t, "rows.tsv") })
//	}
//
// TestSource covers reading, going on at every position, stopping and
// cancelling. TestBroken covers invariant I6: a source whose bytes are cut,
// damaged or refused never ends as if it were complete.
package readertest
