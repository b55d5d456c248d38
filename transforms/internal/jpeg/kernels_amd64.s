#include "textflag.h"

// The factors of pairs of 16-bit numbers, named for what they make in butterfly.
DATA z3<>+0(SB)/8, $0x25a1e6dc25a1e6dc
DATA z3<>+8(SB)/8, $0x25a1e6dc25a1e6dc
DATA z3<>+16(SB)/8, $0x25a1e6dc25a1e6dc
DATA z3<>+24(SB)/8, $0x25a1e6dc25a1e6dc
GLOBL z3<>(SB), RODATA|NOPTR, $32

DATA z4<>+0(SB)/8, $0x192525a1192525a1
DATA z4<>+8(SB)/8, $0x192525a1192525a1
DATA z4<>+16(SB)/8, $0x192525a1192525a1
DATA z4<>+24(SB)/8, $0x192525a1192525a1
GLOBL z4<>(SB), RODATA|NOPTR, $32

DATA odd0<>+0(SB)/8, $0x133ee333133ee333
DATA odd0<>+8(SB)/8, $0x133ee333133ee333
DATA odd0<>+16(SB)/8, $0x133ee333133ee333
DATA odd0<>+24(SB)/8, $0x133ee333133ee333
GLOBL odd0<>(SB), RODATA|NOPTR, $32

DATA odd1<>+0(SB)/8, $0x1051adfd1051adfd
DATA odd1<>+8(SB)/8, $0x1051adfd1051adfd
DATA odd1<>+16(SB)/8, $0x1051adfd1051adfd
DATA odd1<>+24(SB)/8, $0x1051adfd1051adfd
GLOBL odd1<>(SB), RODATA|NOPTR, $32

DATA odd2<>+0(SB)/8, $0xadfdefb0adfdefb0
DATA odd2<>+8(SB)/8, $0xadfdefb0adfdefb0
DATA odd2<>+16(SB)/8, $0xadfdefb0adfdefb0
DATA odd2<>+24(SB)/8, $0xadfdefb0adfdefb0
GLOBL odd2<>(SB), RODATA|NOPTR, $32

DATA odd3<>+0(SB)/8, $0xe333ecc1e333ecc1
DATA odd3<>+8(SB)/8, $0xe333ecc1e333ecc1
DATA odd3<>+16(SB)/8, $0xe333ecc1e333ecc1
DATA odd3<>+24(SB)/8, $0xe333ecc1e333ecc1
GLOBL odd3<>(SB), RODATA|NOPTR, $32

DATA t2<>+0(SB)/8, $0xd6301151d6301151
DATA t2<>+8(SB)/8, $0xd6301151d6301151
DATA t2<>+16(SB)/8, $0xd6301151d6301151
DATA t2<>+24(SB)/8, $0xd6301151d6301151
GLOBL t2<>(SB), RODATA|NOPTR, $32

DATA t3<>+0(SB)/8, $0x115129cf115129cf
DATA t3<>+8(SB)/8, $0x115129cf115129cf
DATA t3<>+16(SB)/8, $0x115129cf115129cf
DATA t3<>+24(SB)/8, $0x115129cf115129cf
GLOBL t3<>(SB), RODATA|NOPTR, $32

// What rounds the shifts of both passes.
DATA round11<>+0(SB)/8, $0x0000040000000400
DATA round11<>+8(SB)/8, $0x0000040000000400
DATA round11<>+16(SB)/8, $0x0000040000000400
DATA round11<>+24(SB)/8, $0x0000040000000400
GLOBL round11<>(SB), RODATA|NOPTR, $32

DATA round18<>+0(SB)/8, $0x0002000000020000
DATA round18<>+8(SB)/8, $0x0002000000020000
DATA round18<>+16(SB)/8, $0x0002000000020000
DATA round18<>+24(SB)/8, $0x0002000000020000
GLOBL round18<>(SB), RODATA|NOPTR, $32

DATA half<>+0(SB)/8, $0x0000800000008000
DATA half<>+8(SB)/8, $0x0000800000008000
DATA half<>+16(SB)/8, $0x0000800000008000
DATA half<>+24(SB)/8, $0x0000800000008000
GLOBL half<>(SB), RODATA|NOPTR, $32

DATA bytes128<>+0(SB)/8, $0x8080808080808080
DATA bytes128<>+8(SB)/8, $0x8080808080808080
DATA bytes128<>+16(SB)/8, $0x8080808080808080
DATA bytes128<>+24(SB)/8, $0x8080808080808080
GLOBL bytes128<>(SB), RODATA|NOPTR, $32

DATA words128<>+0(SB)/8, $0x0080008000800080
DATA words128<>+8(SB)/8, $0x0080008000800080
DATA words128<>+16(SB)/8, $0x0080008000800080
DATA words128<>+24(SB)/8, $0x0080008000800080
GLOBL words128<>(SB), RODATA|NOPTR, $32

DATA words1<>+0(SB)/8, $0x0001000100010001
DATA words1<>+8(SB)/8, $0x0001000100010001
DATA words1<>+16(SB)/8, $0x0001000100010001
DATA words1<>+24(SB)/8, $0x0001000100010001
GLOBL words1<>(SB), RODATA|NOPTR, $32

DATA words2<>+0(SB)/8, $0x0002000200020002
DATA words2<>+8(SB)/8, $0x0002000200020002
DATA words2<>+16(SB)/8, $0x0002000200020002
DATA words2<>+24(SB)/8, $0x0002000200020002
GLOBL words2<>(SB), RODATA|NOPTR, $32

DATA words7<>+0(SB)/8, $0x0007000700070007
DATA words7<>+8(SB)/8, $0x0007000700070007
DATA words7<>+16(SB)/8, $0x0007000700070007
DATA words7<>+24(SB)/8, $0x0007000700070007
GLOBL words7<>(SB), RODATA|NOPTR, $32

DATA words8<>+0(SB)/8, $0x0008000800080008
DATA words8<>+8(SB)/8, $0x0008000800080008
DATA words8<>+16(SB)/8, $0x0008000800080008
DATA words8<>+24(SB)/8, $0x0008000800080008
GLOBL words8<>(SB), RODATA|NOPTR, $32

// The factors of yccToRGB, of which whole parts are added.
DATA red<>+0(SB)/8, $0x66e966e966e966e9
DATA red<>+8(SB)/8, $0x66e966e966e966e9
DATA red<>+16(SB)/8, $0x66e966e966e966e9
DATA red<>+24(SB)/8, $0x66e966e966e966e9
GLOBL red<>(SB), RODATA|NOPTR, $32

DATA blue<>+0(SB)/8, $0xc5a2c5a2c5a2c5a2
DATA blue<>+8(SB)/8, $0xc5a2c5a2c5a2c5a2
DATA blue<>+16(SB)/8, $0xc5a2c5a2c5a2c5a2
DATA blue<>+24(SB)/8, $0xc5a2c5a2c5a2c5a2
GLOBL blue<>(SB), RODATA|NOPTR, $32

DATA green<>+0(SB)/8, $0x492ea7e6492ea7e6
DATA green<>+8(SB)/8, $0x492ea7e6492ea7e6
DATA green<>+16(SB)/8, $0x492ea7e6492ea7e6
DATA green<>+24(SB)/8, $0x492ea7e6492ea7e6
GLOBL green<>(SB), RODATA|NOPTR, $32

// How 8 bytes of red, 8 of green, and 8 of blue become pixels: the first 16 bytes, and the other 8.
DATA firstRG<>+0(SB)/8, $0x0a02800901800800
DATA firstRG<>+8(SB)/8, $0x05800c04800b0380
DATA firstRG<>+16(SB)/8, $0x0a02800901800800
DATA firstRG<>+24(SB)/8, $0x05800c04800b0380
GLOBL firstRG<>(SB), RODATA|NOPTR, $32

DATA firstB<>+0(SB)/8, $0x8080018080008080
DATA firstB<>+8(SB)/8, $0x8004808003808002
DATA firstB<>+16(SB)/8, $0x8080018080008080
DATA firstB<>+24(SB)/8, $0x8004808003808002
GLOBL firstB<>(SB), RODATA|NOPTR, $32

DATA otherRG<>+0(SB)/8, $0x800f07800e06800d
DATA otherRG<>+8(SB)/8, $0x8080808080808080
DATA otherRG<>+16(SB)/8, $0x800f07800e06800d
DATA otherRG<>+24(SB)/8, $0x8080808080808080
GLOBL otherRG<>(SB), RODATA|NOPTR, $32

DATA otherB<>+0(SB)/8, $0x0780800680800580
DATA otherB<>+8(SB)/8, $0x8080808080808080
DATA otherB<>+16(SB)/8, $0x0780800680800580
DATA otherB<>+24(SB)/8, $0x8080808080808080
GLOBL otherB<>(SB), RODATA|NOPTR, $32

// BUTTERFLY is butterfly, of the rows Y0 to Y7. Its results are Y10, Y8, Y3, Y1, Y4, Y2, Y7 and Y11.
#define BUTTERFLY(round, shift) \
	VPADDW Y3, Y7, Y8; \
	VPADDW Y1, Y5, Y9; \
	VPUNPCKLWD Y9, Y8, Y10; \
	VPUNPCKHWD Y9, Y8, Y11; \
	VPMADDWD z3<>(SB), Y10, Y8; \
	VPMADDWD z3<>(SB), Y11, Y9; \
	VPMADDWD z4<>(SB), Y10, Y10; \
	VPMADDWD z4<>(SB), Y11, Y11; \
	VPUNPCKLWD Y1, Y7, Y12; \
	VPUNPCKHWD Y1, Y7, Y13; \
	VPMADDWD odd0<>(SB), Y12, Y1; \
	VPADDD Y10, Y1, Y1; \
	VPMADDWD odd0<>(SB), Y13, Y7; \
	VPADDD Y11, Y7, Y7; \
	VPMADDWD odd3<>(SB), Y12, Y12; \
	VPADDD Y8, Y12, Y12; \
	VPMADDWD odd3<>(SB), Y13, Y13; \
	VPADDD Y9, Y13, Y13; \
	VPUNPCKLWD Y3, Y5, Y14; \
	VPUNPCKHWD Y3, Y5, Y15; \
	VPMADDWD odd1<>(SB), Y14, Y3; \
	VPADDD Y8, Y3, Y3; \
	VPMADDWD odd1<>(SB), Y15, Y5; \
	VPADDD Y9, Y5, Y5; \
	VPMADDWD odd2<>(SB), Y14, Y14; \
	VPADDD Y10, Y14, Y14; \
	VPMADDWD odd2<>(SB), Y15, Y15; \
	VPADDD Y11, Y15, Y15; \
	VPUNPCKLWD Y6, Y2, Y8; \
	VPUNPCKHWD Y6, Y2, Y9; \
	VPADDW Y4, Y0, Y2; \
	VPSUBW Y4, Y0, Y6; \
	VPXOR Y0, Y0, Y0; \
	VPUNPCKLWD Y2, Y0, Y4; \
	VPSRAD $3, Y4, Y4; \
	VPMADDWD t3<>(SB), Y8, Y10; \
	VPADDD Y10, Y4, Y11; \
	VPSUBD Y10, Y4, Y4; \
	VPADDD round<>(SB), Y11, Y11; \
	VPADDD round<>(SB), Y4, Y4; \
	VPADDD Y1, Y11, Y10; \
	VPSUBD Y1, Y11, Y11; \
	VPSRAD $shift, Y10, Y10; \
	VPSRAD $shift, Y11, Y11; \
	VPADDD Y12, Y4, Y1; \
	VPSUBD Y12, Y4, Y4; \
	VPSRAD $shift, Y1, Y1; \
	VPSRAD $shift, Y4, Y4; \
	VPUNPCKHWD Y2, Y0, Y2; \
	VPSRAD $3, Y2, Y2; \
	VPMADDWD t3<>(SB), Y9, Y12; \
	VPADDD Y12, Y2, Y0; \
	VPSUBD Y12, Y2, Y2; \
	VPADDD round<>(SB), Y0, Y0; \
	VPADDD round<>(SB), Y2, Y2; \
	VPADDD Y7, Y0, Y12; \
	VPSUBD Y7, Y0, Y0; \
	VPSRAD $shift, Y12, Y12; \
	VPSRAD $shift, Y0, Y0; \
	VPACKSSDW Y12, Y10, Y10; \
	VPACKSSDW Y0, Y11, Y11; \
	VPADDD Y13, Y2, Y12; \
	VPSUBD Y13, Y2, Y2; \
	VPSRAD $shift, Y12, Y12; \
	VPSRAD $shift, Y2, Y2; \
	VPACKSSDW Y12, Y1, Y1; \
	VPACKSSDW Y2, Y4, Y4; \
	VPXOR Y0, Y0, Y0; \
	VPUNPCKLWD Y6, Y0, Y2; \
	VPUNPCKHWD Y6, Y0, Y6; \
	VPSRAD $3, Y2, Y2; \
	VPSRAD $3, Y6, Y6; \
	VPMADDWD t2<>(SB), Y8, Y8; \
	VPMADDWD t2<>(SB), Y9, Y9; \
	VPADDD Y8, Y2, Y7; \
	VPSUBD Y8, Y2, Y2; \
	VPADDD Y9, Y6, Y12; \
	VPSUBD Y9, Y6, Y6; \
	VPADDD round<>(SB), Y7, Y7; \
	VPADDD round<>(SB), Y2, Y2; \
	VPADDD round<>(SB), Y12, Y12; \
	VPADDD round<>(SB), Y6, Y6; \
	VPADDD Y3, Y7, Y8; \
	VPSUBD Y3, Y7, Y7; \
	VPADDD Y5, Y12, Y9; \
	VPSUBD Y5, Y12, Y12; \
	VPSRAD $shift, Y8, Y8; \
	VPSRAD $shift, Y7, Y7; \
	VPSRAD $shift, Y9, Y9; \
	VPSRAD $shift, Y12, Y12; \
	VPACKSSDW Y9, Y8, Y8; \
	VPACKSSDW Y12, Y7, Y7; \
	VPADDD Y14, Y2, Y3; \
	VPSUBD Y14, Y2, Y2; \
	VPADDD Y15, Y6, Y5; \
	VPSUBD Y15, Y6, Y6; \
	VPSRAD $shift, Y3, Y3; \
	VPSRAD $shift, Y2, Y2; \
	VPSRAD $shift, Y5, Y5; \
	VPSRAD $shift, Y6, Y6; \
	VPACKSSDW Y5, Y3, Y3; \
	VPACKSSDW Y6, Y2, Y2

// TRANSPOSE turns rows into columns, in each half: from where BUTTERFLY leaves them, to Y0 to Y7.
#define TRANSPOSE \
	VPUNPCKLWD Y8, Y10, Y0; \
	VPUNPCKHWD Y8, Y10, Y5; \
	VPUNPCKLWD Y1, Y3, Y6; \
	VPUNPCKHWD Y1, Y3, Y9; \
	VPUNPCKLWD Y2, Y4, Y12; \
	VPUNPCKHWD Y2, Y4, Y13; \
	VPUNPCKLWD Y11, Y7, Y14; \
	VPUNPCKHWD Y11, Y7, Y15; \
	VPUNPCKLDQ Y6, Y0, Y8; \
	VPUNPCKHDQ Y6, Y0, Y10; \
	VPUNPCKLDQ Y9, Y5, Y11; \
	VPUNPCKHDQ Y9, Y5, Y7; \
	VPUNPCKLDQ Y14, Y12, Y1; \
	VPUNPCKHDQ Y14, Y12, Y2; \
	VPUNPCKLDQ Y15, Y13, Y3; \
	VPUNPCKHDQ Y15, Y13, Y4; \
	VPUNPCKLQDQ Y1, Y8, Y0; \
	VPUNPCKHQDQ Y1, Y8, Y1; \
	VPUNPCKLQDQ Y2, Y10, Y9; \
	VPUNPCKHQDQ Y2, Y10, Y12; \
	VPUNPCKLQDQ Y3, Y11, Y13; \
	VPUNPCKHQDQ Y3, Y11, Y5; \
	VPUNPCKLQDQ Y4, Y7, Y6; \
	VPUNPCKHQDQ Y4, Y7, Y7; \
	VMOVDQA Y9, Y2; \
	VMOVDQA Y12, Y3; \
	VMOVDQA Y13, Y4

// STORE packs two rows and writes them.
#define STORE(a, b, x) \
	VPACKSSWB b, a, a; \
	VPADDB bytes128<>(SB), a, a; \
	VPERMQ $0xd8, a, a; \
	VMOVDQU x, (DI); \
	VEXTRACTI128 $1, a, (DI)(DX*1); \
	LEAQ (DI)(DX*2), DI

// The factors of convert, of which whole parts are added, and what rounds.
DATA yRG<>+0(SB)/8, $0x96464c8b96464c8b
DATA yRG<>+8(SB)/8, $0x96464c8b96464c8b
DATA yRG<>+16(SB)/8, $0x96464c8b96464c8b
DATA yRG<>+24(SB)/8, $0x96464c8b96464c8b
GLOBL yRG<>(SB), RODATA|NOPTR, $32

DATA yB<>+0(SB)/8, $0x00001d2f00001d2f
DATA yB<>+8(SB)/8, $0x00001d2f00001d2f
DATA yB<>+16(SB)/8, $0x00001d2f00001d2f
DATA yB<>+24(SB)/8, $0x00001d2f00001d2f
GLOBL yB<>(SB), RODATA|NOPTR, $32

DATA uRG<>+0(SB)/8, $0xab33d4cdab33d4cd
DATA uRG<>+8(SB)/8, $0xab33d4cdab33d4cd
DATA uRG<>+16(SB)/8, $0xab33d4cdab33d4cd
DATA uRG<>+24(SB)/8, $0xab33d4cdab33d4cd
GLOBL uRG<>(SB), RODATA|NOPTR, $32

DATA vGB<>+0(SB)/8, $0xeb2f94d1eb2f94d1
DATA vGB<>+8(SB)/8, $0xeb2f94d1eb2f94d1
DATA vGB<>+16(SB)/8, $0xeb2f94d1eb2f94d1
DATA vGB<>+24(SB)/8, $0xeb2f94d1eb2f94d1
GLOBL vGB<>(SB), RODATA|NOPTR, $32

DATA centre<>+0(SB)/8, $0x00807fff00807fff
DATA centre<>+8(SB)/8, $0x00807fff00807fff
DATA centre<>+16(SB)/8, $0x00807fff00807fff
DATA centre<>+24(SB)/8, $0x00807fff00807fff
GLOBL centre<>(SB), RODATA|NOPTR, $32

// How the bytes 0 to 15 and 8 to 23 of eight pixels become 16-bit numbers of each channel.
DATA lo0<>+0(SB)/8, $0x8009800680038000
DATA lo0<>+8(SB)/8, $0x80808080800f800c
DATA lo0<>+16(SB)/8, $0x8009800680038000
DATA lo0<>+24(SB)/8, $0x80808080800f800c
GLOBL lo0<>(SB), RODATA|NOPTR, $32

DATA hi0<>+0(SB)/8, $0x8080808080808080
DATA hi0<>+8(SB)/8, $0x800d800a80808080
DATA hi0<>+16(SB)/8, $0x8080808080808080
DATA hi0<>+24(SB)/8, $0x800d800a80808080
GLOBL hi0<>(SB), RODATA|NOPTR, $32

DATA lo1<>+0(SB)/8, $0x800a800780048001
DATA lo1<>+8(SB)/8, $0x808080808080800d
DATA lo1<>+16(SB)/8, $0x800a800780048001
DATA lo1<>+24(SB)/8, $0x808080808080800d
GLOBL lo1<>(SB), RODATA|NOPTR, $32

DATA hi1<>+0(SB)/8, $0x8080808080808080
DATA hi1<>+8(SB)/8, $0x800e800b80088080
DATA hi1<>+16(SB)/8, $0x8080808080808080
DATA hi1<>+24(SB)/8, $0x800e800b80088080
GLOBL hi1<>(SB), RODATA|NOPTR, $32

DATA lo2<>+0(SB)/8, $0x800b800880058002
DATA lo2<>+8(SB)/8, $0x808080808080800e
DATA lo2<>+16(SB)/8, $0x800b800880058002
DATA lo2<>+24(SB)/8, $0x808080808080800e
GLOBL lo2<>(SB), RODATA|NOPTR, $32

DATA hi2<>+0(SB)/8, $0x8080808080808080
DATA hi2<>+8(SB)/8, $0x800f800c80098080
DATA hi2<>+16(SB)/8, $0x8080808080808080
DATA hi2<>+24(SB)/8, $0x800f800c80098080
GLOBL hi2<>(SB), RODATA|NOPTR, $32

// What rounds the downsampling, to and fro.
DATA bias2<>+0(SB)/8, $0x0001000000010000
DATA bias2<>+8(SB)/8, $0x0001000000010000
DATA bias2<>+16(SB)/8, $0x0001000000010000
DATA bias2<>+24(SB)/8, $0x0001000000010000
GLOBL bias2<>(SB), RODATA|NOPTR, $32

DATA bias4<>+0(SB)/8, $0x0002000100020001
DATA bias4<>+8(SB)/8, $0x0002000100020001
DATA bias4<>+16(SB)/8, $0x0002000100020001
DATA bias4<>+24(SB)/8, $0x0002000100020001
GLOBL bias4<>(SB), RODATA|NOPTR, $32

DATA bytes1<>+0(SB)/8, $0x0101010101010101
DATA bytes1<>+8(SB)/8, $0x0101010101010101
DATA bytes1<>+16(SB)/8, $0x0101010101010101
DATA bytes1<>+24(SB)/8, $0x0101010101010101
GLOBL bytes1<>(SB), RODATA|NOPTR, $32

DATA round15<>+0(SB)/8, $0x0000400000004000
DATA round15<>+8(SB)/8, $0x0000400000004000
DATA round15<>+16(SB)/8, $0x0000400000004000
DATA round15<>+24(SB)/8, $0x0000400000004000
GLOBL round15<>(SB), RODATA|NOPTR, $32

// DESCALE rounds two halves of 32-bit numbers, takes shift bits off and packs them into to.
#define DESCALE(round, shift, lo, hi, to) \
	VPADDD round<>(SB), lo, lo; \
	VPADDD round<>(SB), hi, hi; \
	VPSRAD $shift, lo, lo; \
	VPSRAD $shift, hi, hi; \
	VPACKSSDW hi, lo, to

// SUMS is sums, of the rows Y0 to Y7. Its results lie where BUTTERFLY leaves its.
#define SUMS(round, shift) \
	VPADDW Y7, Y0, Y8; \
	VPSUBW Y7, Y0, Y0; \
	VPADDW Y6, Y1, Y9; \
	VPSUBW Y6, Y1, Y1; \
	VPADDW Y5, Y2, Y10; \
	VPSUBW Y5, Y2, Y2; \
	VPADDW Y4, Y3, Y11; \
	VPSUBW Y4, Y3, Y3; \
	VPADDW Y11, Y8, Y4; \
	VPSUBW Y11, Y8, Y5; \
	VPADDW Y10, Y9, Y6; \
	VPSUBW Y10, Y9, Y7; \
	VPADDW Y6, Y4, Y10; \
	VPSUBW Y6, Y4, Y4; \
	VPUNPCKLWD Y7, Y5, Y6; \
	VPUNPCKHWD Y7, Y5, Y5; \
	VPMADDWD t3<>(SB), Y6, Y8; \
	VPMADDWD t3<>(SB), Y5, Y9; \
	DESCALE(round, shift, Y8, Y9, Y11); \
	VPMADDWD t2<>(SB), Y6, Y6; \
	VPMADDWD t2<>(SB), Y5, Y5; \
	DESCALE(round, shift, Y6, Y5, Y7); \
	VPADDW Y1, Y3, Y5; \
	VPADDW Y0, Y2, Y6; \
	VPUNPCKLWD Y6, Y5, Y8; \
	VPUNPCKHWD Y6, Y5, Y9; \
	VPMADDWD z3<>(SB), Y8, Y12; \
	VPMADDWD z3<>(SB), Y9, Y13; \
	VPMADDWD z4<>(SB), Y8, Y8; \
	VPMADDWD z4<>(SB), Y9, Y9; \
	VPUNPCKLWD Y0, Y3, Y5; \
	VPUNPCKHWD Y0, Y3, Y6; \
	VPMADDWD odd3<>(SB), Y5, Y14; \
	VPADDD Y12, Y14, Y14; \
	VPMADDWD odd3<>(SB), Y6, Y15; \
	VPADDD Y13, Y15, Y15; \
	DESCALE(round, shift, Y14, Y15, Y0); \
	VPMADDWD odd0<>(SB), Y5, Y5; \
	VPADDD Y8, Y5, Y5; \
	VPMADDWD odd0<>(SB), Y6, Y6; \
	VPADDD Y9, Y6, Y6; \
	DESCALE(round, shift, Y5, Y6, Y3); \
	VPUNPCKLWD Y1, Y2, Y5; \
	VPUNPCKHWD Y1, Y2, Y6; \
	VPMADDWD odd2<>(SB), Y5, Y14; \
	VPADDD Y8, Y14, Y14; \
	VPMADDWD odd2<>(SB), Y6, Y15; \
	VPADDD Y9, Y15, Y15; \
	DESCALE(round, shift, Y14, Y15, Y2); \
	VPMADDWD odd1<>(SB), Y5, Y5; \
	VPADDD Y12, Y5, Y5; \
	VPMADDWD odd1<>(SB), Y6, Y6; \
	VPADDD Y13, Y6, Y6; \
	DESCALE(round, shift, Y5, Y6, Y1); \
	VMOVDQA Y3, Y8; \
	VMOVDQA Y11, Y3; \
	VMOVDQA Y0, Y11

// QUANTIZE quantizes row i of two blocks and writes it.
#define QUANTIZE(y, i) \
	VPABSW         y, Y12;                \
	VBROADCASTI128 (128+16*i)(BX), Y13;   \
	VPADDW         Y13, Y12, Y12;         \
	VBROADCASTI128 (16*i)(BX), Y13;       \
	VPMULHUW       Y13, Y12, Y12;         \
	VBROADCASTI128 (256+16*i)(BX), Y13;   \
	VPMULHUW       Y13, Y12, Y12;         \
	VPSIGNW        y, Y12, Y12;           \
	VMOVDQU        X12, (16*i)(DI);       \
	VEXTRACTI128   $1, Y12, (16*i)(R8)

// SAMPLES loads a row of two blocks.
#define SAMPLES(y) \
	VPMOVZXBW (SI), y;   \
	VPSUBW    Y15, y, y; \
	ADDQ      DX, SI

// READ loads a reader, whose data are read up to R8, and begins with coefficient 1.
#define READ \
	MOVQ r+0(FP), AX;       \
	MOVQ 0(AX), R13;        \
	MOVQ 8(AX), R8;         \
	LEAQ -8(R13)(R8*1), R8; \
	MOVQ 24(AX), SI;        \
	ADDQ R13, SI;           \
	MOVQ 32(AX), R9;        \
	MOVQ 40(AX), R10;       \
	MOVQ $1, R11

// WRITE stores what READ loads.
#define WRITE \
	MOVQ r+0(FP), AX;  \
	SUBQ R13, SI;      \
	MOVQ SI, 24(AX);   \
	MOVQ R9, 32(AX);   \
	MOVQ R10, 40(AX)

// REFILL is refill.
#define REFILL(end) \
	CMPQ   SI, R8;      \
	JHI    end;         \
	MOVQ   (SI), AX;    \
	BSWAPQ AX;          \
	SHRXQ  R10, AX, AX; \
	ORQ    AX, R9;      \
	MOVQ   $63, DX;     \
	SUBQ   R10, DX;     \
	SHRQ   $3, DX;      \
	ADDQ   DX, SI;      \
	ORQ    $56, R10

// COEFFICIENT decodes one that lies within the bits looked at.
#define COEFFICIENT \
	MOVQ    R9, AX;               \
	SHRQ    $54, AX;              \
	MOVL    (BX)(AX*4), AX;       \
	MOVBQZX AX, CX;               \
	MOVBLZX AH, DX;               \
	SHRL    $16, AX;              \
	JZ      other;                \
	SHLXQ   CX, R9, R9;           \
	SUBQ    CX, R10;              \
	ADDQ    DX, R11;              \
	MOVBQZX (R12)(R11*1), DX;     \
	MOVW    AX, (DI)(DX*2);       \
	INCQ    R11;                  \
	CMPQ    R11, $64;             \
	JGE     done

// func idct2(dst *uint8, stride int, pair *[128]int16, quant *[128]uint16) bool
TEXT ·idct2(SB), NOSPLIT, $0-33
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), DX
	MOVQ pair+16(FP), SI
	MOVQ quant+24(FP), BX
	VMOVDQU 0(SI), Y0
	VPMULLW 0(BX), Y0, Y0
	VPSRAW $13, Y0, Y8 // 0 or -1, as the sign says, if two more bits fit
	VPSRAW $15, Y0, Y9
	VPXOR Y8, Y9, Y8
	VPTEST Y8, Y8
	JNZ overflow
	VMOVDQU 32(SI), Y1
	VMOVDQU 64(SI), Y2
	VMOVDQU 96(SI), Y3
	VMOVDQU 128(SI), Y4
	VMOVDQU 160(SI), Y5
	VMOVDQU 192(SI), Y6
	VMOVDQU 224(SI), Y7
	VPXOR Y8, Y8, Y8
	VMOVDQU Y8, 0(SI)
	VMOVDQU Y8, 32(SI)
	VMOVDQU Y8, 64(SI)
	VMOVDQU Y8, 96(SI)
	VMOVDQU Y8, 128(SI)
	VMOVDQU Y8, 160(SI)
	VMOVDQU Y8, 192(SI)
	VMOVDQU Y8, 224(SI)
	VPMULLW 32(BX), Y1, Y1
	VPMULLW 64(BX), Y2, Y2
	VPMULLW 96(BX), Y3, Y3
	VPMULLW 128(BX), Y4, Y4
	VPMULLW 160(BX), Y5, Y5
	VPMULLW 192(BX), Y6, Y6
	VPMULLW 224(BX), Y7, Y7
	BUTTERFLY(round11, 11)
	TRANSPOSE
	BUTTERFLY(round18, 18)
	TRANSPOSE
	STORE(Y0, Y1, X0)
	STORE(Y2, Y3, X2)
	STORE(Y4, Y5, X4)
	STORE(Y6, Y7, X6)
	VZEROUPPER
	MOVB $1, ret+32(FP)
	RET

overflow:
	VZEROUPPER
	MOVB $0, ret+32(FP)
	RET

// func double16(dst, src *uint8, n int)
TEXT ·double16(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX

samples:
	VPMOVZXBW (SI), Y0
	VPMOVZXBW -1(SI), Y1
	VPMOVZXBW 1(SI), Y2
	VPADDW    Y0, Y0, Y3
	VPADDW    Y3, Y0, Y0
	VPADDW    Y0, Y1, Y1
	VPADDW    Y0, Y2, Y2
	VPADDW    words1<>(SB), Y1, Y1
	VPADDW    words2<>(SB), Y2, Y2
	VPSRLW    $2, Y1, Y1
	VPSRLW    $2, Y2, Y2
	VPSLLW    $8, Y2, Y2
	VPOR      Y1, Y2, Y2
	VMOVDQU   Y2, (DI)
	ADDQ      $16, SI
	ADDQ      $32, DI
	SUBQ      $16, CX
	JG        samples
	VZEROUPPER
	RET

// BETWEEN is three times a row's samples and the other's.
#define BETWEEN(at, sum) \
	VPMOVZXBW at(SI), sum;   \
	VPMOVZXBW at(BX), Y4;    \
	VPADDW    sum, sum, Y5;  \
	VPADDW    Y5, sum, sum;  \
	VPADDW    Y4, sum, sum

// func doubleBetween16(dst, src, near *uint8, n int)
TEXT ·doubleBetween16(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ near+16(FP), BX
	MOVQ n+24(FP), CX

samples:
	BETWEEN(0, Y0)
	BETWEEN(-1, Y1)
	BETWEEN(1, Y2)
	VPADDW  Y0, Y0, Y3
	VPADDW  Y3, Y0, Y0
	VPADDW  Y0, Y1, Y1
	VPADDW  Y0, Y2, Y2
	VPADDW  words8<>(SB), Y1, Y1
	VPADDW  words7<>(SB), Y2, Y2
	VPSRLW  $4, Y1, Y1
	VPSRLW  $4, Y2, Y2
	VPSLLW  $8, Y2, Y2
	VPOR    Y1, Y2, Y2
	VMOVDQU Y2, (DI)
	ADDQ    $16, SI
	ADDQ    $16, BX
	ADDQ    $32, DI
	SUBQ    $16, CX
	JG      samples
	VZEROUPPER
	RET

// func rgb16(dst, y, cb, cr *uint8, n int)
TEXT ·rgb16(SB), NOSPLIT, $0-40
	MOVQ    dst+0(FP), DI
	MOVQ    y+8(FP), SI
	MOVQ    cb+16(FP), BX
	MOVQ    cr+24(FP), DX
	MOVQ    n+32(FP), CX
	VMOVDQU words128<>(SB), Y15
	VMOVDQU words1<>(SB), Y14
	VMOVDQU firstRG<>(SB), Y13
	VMOVDQU firstB<>(SB), Y12
	VMOVDQU otherRG<>(SB), Y11
	VMOVDQU otherB<>(SB), Y10

pixels:
	VPMOVZXBW    (SI), Y0
	VPMOVZXBW    (BX), Y1
	VPMOVZXBW    (DX), Y2
	VPSUBW       Y15, Y1, Y1
	VPSUBW       Y15, Y2, Y2
	VPADDW       Y2, Y2, Y3
	VPMULHW      red<>(SB), Y3, Y3
	VPADDW       Y14, Y3, Y3
	VPSRAW       $1, Y3, Y3
	VPADDW       Y2, Y3, Y3
	VPADDW       Y0, Y3, Y3       // red
	VPADDW       Y1, Y1, Y4
	VPMULHW      blue<>(SB), Y4, Y5
	VPADDW       Y14, Y5, Y5
	VPSRAW       $1, Y5, Y5
	VPADDW       Y4, Y5, Y5
	VPADDW       Y0, Y5, Y5       // blue
	VPUNPCKLWD   Y2, Y1, Y6
	VPUNPCKHWD   Y2, Y1, Y7
	VPMADDWD     green<>(SB), Y6, Y6
	VPMADDWD     green<>(SB), Y7, Y7
	VPADDD       half<>(SB), Y6, Y6
	VPADDD       half<>(SB), Y7, Y7
	VPSRAD       $16, Y6, Y6
	VPSRAD       $16, Y7, Y7
	VPACKSSDW    Y7, Y6, Y6
	VPSUBW       Y2, Y6, Y6
	VPADDW       Y0, Y6, Y6       // green
	VPACKUSWB    Y6, Y3, Y3
	VPACKUSWB    Y5, Y5, Y5
	VPSHUFB      Y13, Y3, Y6
	VPSHUFB      Y12, Y5, Y7
	VPOR         Y6, Y7, Y7
	VPSHUFB      Y11, Y3, Y3
	VPSHUFB      Y10, Y5, Y5
	VPOR         Y3, Y5, Y5
	VMOVDQU      X7, (DI)
	VMOVQ        X5, 16(DI)
	VEXTRACTI128 $1, Y7, 24(DI)
	VEXTRACTI128 $1, Y5, X5
	VMOVQ        X5, 40(DI)
	ADDQ         $16, SI
	ADDQ         $16, BX
	ADDQ         $16, DX
	ADDQ         $48, DI
	SUBQ         $16, CX
	JG           pixels
	VZEROUPPER
	RET

// func acs(r *reader, lookup *[1 << peek]entry, block *[128]int16) (k int, done bool)
TEXT ·acs(SB), NOSPLIT, $0-33
	READ
	MOVQ lookup+8(FP), BX
	MOVQ block+16(FP), DI
	LEAQ ·zigzag(SB), R12

next:
	REFILL(stop)
	COEFFICIENT
	COEFFICIENT
	COEFFICIENT
	JMP next

other: // CX bits, and DX its run and size
	TESTQ CX, CX
	JZ    stop
	MOVL  DX, AX
	SHRL  $4, AX
	ANDL  $15, DX
	SHLXQ CX, R9, R9
	SUBQ  CX, R10
	TESTL AX, AX
	JZ    zeros
	ADDQ  DX, R11
	MOVQ  $64, CX
	SUBQ  AX, CX
	SHRXQ CX, R9, DX
	MOVQ  $1, R15
	SHLXQ AX, R15, R15
	DECQ  R15
	MOVQ  R9, CX
	SARQ  $63, CX
	NOTQ  CX
	ANDQ  CX, R15 // what extend takes off
	SUBQ  R15, DX
	SHLXQ AX, R9, R9
	SUBQ  AX, R10
	MOVBQZX (R12)(R11*1), CX
	MOVW  DX, (DI)(CX*2)
	INCQ  R11
	CMPQ  R11, $64
	JLT   next
	JMP   done

zeros:
	CMPQ DX, $15
	JNE  done
	ADDQ $16, R11
	CMPQ R11, $64
	JLT  next

done:
	WRITE
	MOVQ R11, k+24(FP)
	MOVB $1, done+32(FP)
	RET

stop:
	WRITE
	MOVQ R11, k+24(FP)
	MOVB $0, done+32(FP)
	RET

// SKIP goes over what the bits looked at hold.
#define SKIP \
	MOVQ    R9, AX;           \
	SHRQ    $52, AX;          \
	MOVWLZX (BX)(AX*2), AX;   \
	MOVL    AX, DX;           \
	SHRL    $4, DX;           \
	ANDL    $0x7f, DX;        \
	ADDQ    R11, DX;          \
	CMPQ    DX, $64;          \
	JGE     stop;             \
	MOVL    AX, CX;           \
	ANDL    $15, CX;          \
	JZ      stop;             \
	MOVQ    DX, R11;          \
	SHLXQ   CX, R9, R9;       \
	SUBQ    CX, R10;          \
	BTL     $11, AX;          \
	JCS     done

// func skips(r *reader, table *[1 << skipPeek]skip) (k int, done bool)
TEXT ·skips(SB), NOSPLIT, $0-25
	READ
	MOVQ table+8(FP), BX

next:
	REFILL(stop)
	SKIP
	SKIP
	SKIP
	JMP next

done:
	WRITE
	MOVQ R11, k+16(FP)
	MOVB $1, done+24(FP)
	RET

stop:
	WRITE
	MOVQ R11, k+16(FP)
	MOVB $0, done+24(FP)
	RET

// func forward2(a, b *[64]int16, samples *uint8, stride int, quants *divisors)
TEXT ·forward2(SB), NOSPLIT, $0-40
	MOVQ    a+0(FP), DI
	MOVQ    b+8(FP), R8
	MOVQ    samples+16(FP), SI
	MOVQ    stride+24(FP), DX
	MOVQ    quants+32(FP), BX
	VMOVDQU words128<>(SB), Y15
	SAMPLES(Y10)
	SAMPLES(Y8)
	SAMPLES(Y3)
	SAMPLES(Y1)
	SAMPLES(Y4)
	SAMPLES(Y2)
	SAMPLES(Y7)
	SAMPLES(Y11)
	TRANSPOSE
	SUMS(round11, 11)
	VPSLLW  $2, Y10, Y10
	VPSLLW  $2, Y4, Y4
	TRANSPOSE
	SUMS(round15, 15)
	VPADDW  words2<>(SB), Y10, Y10
	VPADDW  words2<>(SB), Y4, Y4
	VPSRAW  $2, Y10, Y10
	VPSRAW  $2, Y4, Y4
	QUANTIZE(Y10, 0)
	QUANTIZE(Y8, 1)
	QUANTIZE(Y3, 2)
	QUANTIZE(Y1, 3)
	QUANTIZE(Y4, 4)
	QUANTIZE(Y2, 5)
	QUANTIZE(Y7, 6)
	QUANTIZE(Y11, 7)
	VZEROUPPER
	RET

// LINE takes the lower bits off 16 numbers.
#define LINE(lo, hi) \
	VPSRAD       $16, lo, lo;  \
	VPSRAD       $16, hi, hi;  \
	VPACKSSDW    hi, lo, lo

// WRITE16 writes 16 numbers as bytes.
#define WRITE16(y, x, to) \
	VPACKUSWB    y, y, y;      \
	VPERMQ       $0xd8, y, y;  \
	VMOVDQU      x, (to)

// func convert16(y, u, v, pix *uint8, n int)
TEXT ·convert16(SB), NOSPLIT, $0-40
	MOVQ y+0(FP), DI
	MOVQ u+8(FP), R8
	MOVQ v+16(FP), R9
	MOVQ pix+24(FP), SI
	MOVQ n+32(FP), CX
	VPXOR Y15, Y15, Y15
	VMOVDQU centre<>(SB), Y14

pixels:
	VMOVDQU      (SI), X0
	VINSERTI128  $1, 24(SI), Y0, Y0
	VMOVDQU      8(SI), X1
	VINSERTI128  $1, 32(SI), Y1, Y1
	VPSHUFB      lo0<>(SB), Y0, Y2
	VPSHUFB      hi0<>(SB), Y1, Y3
	VPOR         Y3, Y2, Y2       // red
	VPSHUFB      lo1<>(SB), Y0, Y3
	VPSHUFB      hi1<>(SB), Y1, Y4
	VPOR         Y4, Y3, Y3       // green
	VPSHUFB      lo2<>(SB), Y0, Y4
	VPSHUFB      hi2<>(SB), Y1, Y5
	VPOR         Y5, Y4, Y4       // blue
	VPUNPCKLWD   Y3, Y2, Y5
	VPUNPCKHWD   Y3, Y2, Y6
	VPUNPCKLWD   Y15, Y4, Y7
	VPUNPCKHWD   Y15, Y4, Y8
	VPMADDWD     yRG<>(SB), Y5, Y9
	VPMADDWD     yRG<>(SB), Y6, Y10
	VPMADDWD     yB<>(SB), Y7, Y7
	VPMADDWD     yB<>(SB), Y8, Y8
	VPADDD       Y7, Y9, Y9
	VPADDD       Y8, Y10, Y10
	VPADDD       half<>(SB), Y9, Y9
	VPADDD       half<>(SB), Y10, Y10
	LINE(Y9, Y10)
	VPADDW       Y3, Y9, Y9
	WRITE16(Y9, X9, DI)
	VPMADDWD     uRG<>(SB), Y5, Y5
	VPMADDWD     uRG<>(SB), Y6, Y6
	VPUNPCKLWD   Y4, Y15, Y7
	VPUNPCKHWD   Y4, Y15, Y8
	VPSRLD       $1, Y7, Y7
	VPSRLD       $1, Y8, Y8
	VPADDD       Y7, Y5, Y5
	VPADDD       Y8, Y6, Y6
	VPADDD       Y14, Y5, Y5
	VPADDD       Y14, Y6, Y6
	LINE(Y5, Y6)
	WRITE16(Y5, X5, R8)
	VPUNPCKLWD   Y4, Y3, Y5
	VPUNPCKHWD   Y4, Y3, Y6
	VPMADDWD     vGB<>(SB), Y5, Y5
	VPMADDWD     vGB<>(SB), Y6, Y6
	VPUNPCKLWD   Y2, Y15, Y7
	VPUNPCKHWD   Y2, Y15, Y8
	VPSRLD       $1, Y7, Y7
	VPSRLD       $1, Y8, Y8
	VPADDD       Y7, Y5, Y5
	VPADDD       Y8, Y6, Y6
	VPADDD       Y14, Y5, Y5
	VPADDD       Y14, Y6, Y6
	LINE(Y5, Y6)
	WRITE16(Y5, X5, R9)
	ADDQ         $48, SI
	ADDQ         $16, DI
	ADDQ         $16, R8
	ADDQ         $16, R9
	SUBQ         $16, CX
	JG           pixels
	VZEROUPPER
	RET

// func halve16(dst, a *uint8, n int)
TEXT ·halve16(SB), NOSPLIT, $0-24
	MOVQ    dst+0(FP), DI
	MOVQ    a+8(FP), SI
	MOVQ    n+16(FP), CX
	VMOVDQU bytes1<>(SB), Y15

samples:
	VMOVDQU    (SI), Y0
	VPMADDUBSW Y15, Y0, Y0
	VPADDW     bias2<>(SB), Y0, Y0
	VPSRLW     $1, Y0, Y0
	WRITE16(Y0, X0, DI)
	ADDQ       $32, SI
	ADDQ       $16, DI
	SUBQ       $16, CX
	JG         samples
	VZEROUPPER
	RET

// func quarter16(dst, a, b *uint8, n int)
TEXT ·quarter16(SB), NOSPLIT, $0-32
	MOVQ    dst+0(FP), DI
	MOVQ    a+8(FP), SI
	MOVQ    b+16(FP), BX
	MOVQ    n+24(FP), CX
	VMOVDQU bytes1<>(SB), Y15

samples:
	VMOVDQU    (SI), Y0
	VMOVDQU    (BX), Y1
	VPMADDUBSW Y15, Y0, Y0
	VPMADDUBSW Y15, Y1, Y1
	VPADDW     Y1, Y0, Y0
	VPADDW     bias4<>(SB), Y0, Y0
	VPSRLW     $2, Y0, Y0
	WRITE16(Y0, X0, DI)
	ADDQ       $32, SI
	ADDQ       $32, BX
	ADDQ       $16, DI
	SUBQ       $16, CX
	JG         samples
	VZEROUPPER
	RET

// func nonzero64(block *[64]int16) uint64
TEXT ·nonzero64(SB), NOSPLIT, $0-16
	MOVQ      block+0(FP), SI
	VPXOR     Y15, Y15, Y15
	VMOVDQU   (SI), Y0
	VPACKSSWB 32(SI), Y0, Y0
	VMOVDQU   64(SI), Y1
	VPACKSSWB 96(SI), Y1, Y1
	VPCMPEQB  Y15, Y0, Y0
	VPCMPEQB  Y15, Y1, Y1
	VPERMQ    $0xd8, Y0, Y0
	VPERMQ    $0xd8, Y1, Y1
	VPMOVMSKB Y0, AX
	VPMOVMSKB Y1, BX
	SHLQ      $32, BX
	ORQ       BX, AX
	NOTQ      AX
	MOVQ      AX, ret+8(FP)
	VZEROUPPER
	RET
