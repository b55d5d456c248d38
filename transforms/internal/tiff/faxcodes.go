package tiff

import "strings"

// A faxState is the meaning of a code.
type faxState uint8

const (
	faxInvalid faxState = iota
	faxPass
	faxHorizontal
	faxVertical
	faxExtension
	faxTerminating
	faxMakeUp
	faxEOL
)

// A faxCode is a code and its meaning.
type faxCode struct {
	state faxState
	width uint8
	run   int16 // pixels, or how far a vertical code is right of the change above
}

// Codes by the bits that follow, of which the first is the least significant.
var (
	mainCodes  = make([]faxCode, 1<<7)
	whiteCodes = make([]faxCode, 1<<12)
	blackCodes = make([]faxCode, 1<<13)
)

// The codes of runs of 0 to 63 pixels, of multiples of 64 up to 1728, and of those from 1792 on, which
// are the same for both colors: tables 2, 3a and 3b of T.4.
const (
	whiteRuns = "00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101 " +
		"101010 101011 0100111 0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011 0100100 0011000 00000010 00000011 00011010 " +
		"00011011 00010010 00010011 00010100 00010101 00010110 00010111 00101000 00101001 00101010 00101011 00101100 00101101 00000100 00000101 00001010 " +
		"00001011 01010010 01010011 01010100 01010101 00100100 00100101 01011000 01011001 01011010 01011011 01001010 01001011 00110010 00110011 00110100"
	whiteMakeUps = "11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100 011001101 011010010 011010011 " +
		"011010100 011010101 011010110 011010111 011011000 011011001 011011010 011011011 010011000 010011001 010011010 011000 010011011"
	blackRuns = "0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111 000011000 " +
		"0000010111 0000011000 0000001000 00001100111 00001101000 00001101100 00000110111 00000101000 00000010111 00000011000 000011001010 000011001011 000011001100 000011001101 000001101000 000001101001 " +
		"000001101010 000001101011 000011010010 000011010011 000011010100 000011010101 000011010110 000011010111 000001101100 000001101101 000011011010 000011011011 000001010100 000001010101 000001010110 000001010111 " +
		"000001100100 000001100101 000001010010 000001010011 000000100100 000000110111 000000111000 000000100111 000000101000 000001011000 000001011001 000000101011 000000101100 000001011010 000001100110 000001100111"
	blackMakeUps = "0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101 0000001101100 0000001101101 0000001001010 0000001001011 0000001001100 0000001001101 0000001110010 " +
		"0000001110011 0000001110100 0000001110101 0000001110110 0000001110111 0000001010010 0000001010011 0000001010100 0000001010101 0000001011010 0000001011011 0000001100100 0000001100101"
	longMakeUps = "00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 000000010101 000000010110 000000010111 000000011100 000000011101 000000011110 000000011111"
	endOfLine   = "00000000000"
)

func init() {
	for code, meaning := range map[string]faxCode{
		"0001": {state: faxPass}, "001": {state: faxHorizontal}, "0000001": {state: faxExtension}, "0000000": {state: faxEOL},
		"1": {state: faxVertical}, "011": {state: faxVertical, run: 1}, "000011": {state: faxVertical, run: 2}, "0000011": {state: faxVertical, run: 3},
		"010": {state: faxVertical, run: -1}, "000010": {state: faxVertical, run: -2}, "0000010": {state: faxVertical, run: -3},
	} {
		addFaxCode(mainCodes, code, meaning)
	}
	for _, t := range []struct {
		table         []faxCode
		runs, makeUps string
	}{{whiteCodes, whiteRuns, whiteMakeUps}, {blackCodes, blackRuns, blackMakeUps}} {
		addFaxCodes(t.table, t.runs, faxTerminating, 0, 1)
		addFaxCodes(t.table, t.makeUps, faxMakeUp, 64, 64)
		addFaxCodes(t.table, longMakeUps, faxMakeUp, 1792, 64)
		addFaxCode(t.table, endOfLine, faxCode{state: faxEOL})
	}
}

// addFaxCodes adds codes of runs of first pixels, first plus step, and so on.
func addFaxCodes(table []faxCode, codes string, state faxState, first, step int) {
	run := first
	for code := range strings.FieldsSeq(codes) {
		addFaxCode(table, code, faxCode{state: state, run: int16(run)})
		run += step
	}
}

// addFaxCode enters a code wherever the bits begin with it.
func addFaxCode(table []faxCode, code string, meaning faxCode) {
	meaning.width = uint8(len(code))
	first := 0
	for i, c := range code {
		first |= int(c-'0') << i
	}
	for i := first; i < len(table); i += 1 << len(code) {
		table[i] = meaning
	}
}
