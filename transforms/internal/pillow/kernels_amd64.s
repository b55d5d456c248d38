#include "textflag.h"

// The tables of rows4: how three-byte pixels become pairs of 16-bit
// numbers, two pairs of each channel in either half; and how the taps of a group,
// 16 bytes, are spread over the channels, their upper parts and their lower ones.
DATA pairs<>+0(SB)/8, $0x8004800180038000
DATA pairs<>+8(SB)/8, $0x8080808080058002
DATA pairs<>+16(SB)/8, $0x800a800780098006
DATA pairs<>+24(SB)/8, $0x80808080800b8008
GLOBL pairs<>(SB), RODATA|NOPTR, $32

DATA upper<>+0(SB)/8, $0x0000000000000000
DATA upper<>+8(SB)/8, $0x0000000000000000
DATA upper<>+16(SB)/8, $0x0000000100000001
DATA upper<>+24(SB)/8, $0x0000000100000001
GLOBL upper<>(SB), RODATA|NOPTR, $32

DATA lower<>+0(SB)/8, $0x0000000200000002
DATA lower<>+8(SB)/8, $0x0000000200000002
DATA lower<>+16(SB)/8, $0x0000000300000003
DATA lower<>+24(SB)/8, $0x0000000300000003
GLOBL lower<>(SB), RODATA|NOPTR, $32

// What packing in halves has torn apart.
DATA order<>+0(SB)/8, $0x0000000400000000
DATA order<>+8(SB)/8, $0x0000000500000001
DATA order<>+16(SB)/8, $0x0000000600000002
DATA order<>+24(SB)/8, $0x0000000700000003
GLOBL order<>(SB), RODATA|NOPTR, $32

DATA half<>+0(SB)/8, $0x0020000000200000
DATA half<>+8(SB)/8, $0x0020000000200000
DATA half<>+16(SB)/8, $0x0020000000200000
DATA half<>+24(SB)/8, $0x0020000000200000
GLOBL half<>(SB), RODATA|NOPTR, $32

// TAPS adds four pixels of a row times four taps to its two sums.
#define TAPS(row, hi, lo) \
	VBROADCASTI128 row, Y8      \
	VPSHUFB        Y13, Y8, Y8  \
	VPMADDWD       Y10, Y8, Y9  \
	VPADDD         Y9, hi, hi   \
	VPMADDWD       Y11, Y8, Y8  \
	VPADDD         Y8, lo, lo

// SUM joins the two sums of a row, the second being X's Y, and rounds them.
#define SUM(yhi, ylo, xhi) \
	VPSLLD       $11, yhi, yhi  \
	VPADDD       ylo, yhi, yhi  \
	VEXTRACTI128 $1, yhi, X8    \
	VPADDD       X8, xhi, xhi   \
	VPADDD       half<>(SB), xhi, xhi \
	VPSRAD       $22, xhi, xhi

// func rows4(dst *uint8, dstStride int, src *uint8, srcStride int, first *int32, taps *int16, groups, n int)
TEXT ·rows4(SB), NOSPLIT, $0-64
	MOVQ    dst+0(FP), DI
	MOVQ    dstStride+8(FP), DX
	MOVQ    src+16(FP), SI
	MOVQ    srcStride+24(FP), R8
	MOVQ    first+32(FP), R9
	MOVQ    taps+40(FP), BX
	MOVQ    groups+48(FP), R11
	MOVQ    n+56(FP), R13
	LEAQ    (R8)(R8*2), R12
	LEAQ    (DX)(DX*2), AX
	VMOVDQU pairs<>(SB), Y13
	VMOVDQU upper<>(SB), Y14
	VMOVDQU lower<>(SB), Y15

output:
	MOVLQSX (R9), R10
	ADDQ    SI, R10
	MOVQ    R11, CX
	VPXOR   Y0, Y0, Y0
	VPXOR   Y1, Y1, Y1
	VPXOR   Y2, Y2, Y2
	VPXOR   Y3, Y3, Y3
	VPXOR   Y4, Y4, Y4
	VPXOR   Y5, Y5, Y5
	VPXOR   Y6, Y6, Y6
	VPXOR   Y7, Y7, Y7

group:
	VBROADCASTI128 (BX), Y12
	VPERMD         Y12, Y14, Y10
	VPERMD         Y12, Y15, Y11
	TAPS((R10), Y0, Y4)
	TAPS((R10)(R8*1), Y1, Y5)
	TAPS((R10)(R8*2), Y2, Y6)
	TAPS((R10)(R12*1), Y3, Y7)
	ADDQ           $12, R10
	ADDQ           $16, BX
	DECQ           CX
	JNZ            group

	SUM(Y0, Y4, X0)
	SUM(Y1, Y5, X1)
	SUM(Y2, Y6, X2)
	SUM(Y3, Y7, X3)
	VPACKSSDW X1, X0, X0
	VPACKSSDW X3, X2, X2
	VPACKUSWB X2, X0, X0
	VMOVD     X0, (DI)
	VPEXTRD   $1, X0, (DI)(DX*1)
	VPEXTRD   $2, X0, (DI)(DX*2)
	VPEXTRD   $3, X0, (DI)(AX*1)
	ADDQ      $3, DI
	ADDQ      $4, R9
	DECQ      R13
	JNZ       output
	VZEROUPPER
	RET

// COLUMNS adds eight bytes of a row times a tap to their sums.
#define COLUMNS(row, sum, product) \
	VPMOVZXBD row, product            \
	VPMULLD   Y8, product, product    \
	VPADDD    product, sum, sum

// func columns32(dst, src *uint8, stride int, taps *int32, count, n int)
TEXT ·columns32(SB), NOSPLIT, $0-48
	MOVQ    dst+0(FP), DI
	MOVQ    src+8(FP), SI
	MOVQ    stride+16(FP), R8
	MOVQ    n+40(FP), R13
	XORQ    DX, DX            // the column
	SUBQ    $32, R13          // the last one to begin at
	VMOVDQU order<>(SB), Y15
	VMOVDQU half<>(SB), Y14

columns:
	LEAQ    (SI)(DX*1), R10
	MOVQ    taps+24(FP), BX
	MOVQ    count+32(FP), CX
	VMOVDQA Y14, Y0
	VMOVDQA Y14, Y1
	VMOVDQA Y14, Y2
	VMOVDQA Y14, Y3

row:
	VPBROADCASTD (BX), Y8
	COLUMNS((R10), Y0, Y4)
	COLUMNS(8(R10), Y1, Y5)
	COLUMNS(16(R10), Y2, Y6)
	COLUMNS(24(R10), Y3, Y7)
	ADDQ         R8, R10
	ADDQ         $4, BX
	DECQ         CX
	JNZ          row

	VPSRAD    $22, Y0, Y0
	VPSRAD    $22, Y1, Y1
	VPSRAD    $22, Y2, Y2
	VPSRAD    $22, Y3, Y3
	VPACKSSDW Y1, Y0, Y0
	VPACKSSDW Y3, Y2, Y2
	VPACKUSWB Y2, Y0, Y0
	VPERMD    Y0, Y15, Y0
	VMOVDQU   Y0, (DI)(DX*1)
	CMPQ      DX, R13
	JGE       done
	ADDQ      $32, DX
	CMPQ      DX, R13
	CMOVQGT   R13, DX         // the last columns overlap those before
	JMP       columns

done:
	VZEROUPPER
	RET
