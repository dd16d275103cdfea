/** The arithmetic flags as bits of EFLAGS, and DF. */
export const CF = 0x001;
export const PF = 0x004;
export const AF = 0x010;
export const ZF = 0x040;
export const SF = 0x080;
export const DF = 0x400;
export const OF = 0x800;
export const COMPARED_FLAGS = CF | PF | AF | ZF | SF | DF | OF;
