/** The machine room's door for who reads code and does not run it: apart, because it brings the text of all rows along. */
export { decode } from './isa/decode.ts';
export { disassemble } from './isa/disassemble.ts';
