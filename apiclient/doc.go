// Package apiclient speaks to the Infobip platform.
package apiclient
