/** AES-NI, PCLMULQDQ and the SHA extensions. */
import { aes } from './aes.ts';
import type { SemanticsTable } from './builder.ts';
import { pclmul } from './pclmul.ts';
import { sha } from './sha.ts';

export const crypto: SemanticsTable = { ...aes, ...pclmul, ...sha };
