package console

import (
	"os"

	"golang.org/x/sys/windows"
)

// takesEscapes asks the console to understand escape sequences and reports
// whether it does: consoles before Windows 10 do not.
func takesEscapes(f *os.File) bool {
	var mode uint32
	console := windows.Handle(f.Fd())
	if err := windows.GetConsoleMode(console, &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
