package photo

// renditionStyle is how renditions are encoded. Measured on 7 photographs among
// the test images of bep/imagemeta, at 1600 pixels q85, the bytes and PSNR in RGB of
// two of them (a phone's, and one with strong colours), CPU of a 24-megapixel photo:
//
//	                            phone             colours           CPU
//	4:2:0, standard tables      529 kB  34.15 dB  647 kB  33.73 dB    3 ms
//	4:2:0, optimal tables       525 kB            634 kB              8 ms
//	4:2:0, progressive          490 kB            595 kB             23 ms
//	4:2:2, optimal              533 kB  34.21 dB  692 kB  34.76 dB   10 ms
//	4:4:4, optimal              546 kB  34.24 dB  789 kB  35.81 dB   13 ms
//	4:4:4, optimal, q81         486 kB  32.47 dB  697 kB  34.81 dB
//
// Optimal tables save 1 to 2 % of a rendition for 6 % more CPU time in all; a rendition
// has a tenth of the size of its original, which is kept too. Progressive saves 4 to 8 %
// for 25 % more. Full colour costs 3 to 24 % of the size; a higher quality for the same
// size improves the brightness, which the eye notices more.
var renditionStyle = style{h: 2, v: 2, mode: standardTables}
