// Package viewtest has the plans, states, events and texts that the tests of package view and of
// the packages below it have in common.
package viewtest
