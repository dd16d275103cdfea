/** Rules and files for the comparison with the yara command: fixed ones over what the language has, and random ones. */

export const RULES = String.raw`
import "elf"
import "pe"
import "math"
import "hash"

/* a comment
   over lines */
private rule is_text { strings: $newline = "\n" condition: #newline > 2 }
rule plain : tag1 tag2 { meta: author = "nobody" level = 3 sure = true strings: $a = "secret" condition: $a }
rule nocase_ { strings: $a = "SECRET" nocase condition: $a }
rule wide_ { strings: $a = "secret" wide condition: $a }
rule wide_ascii { strings: $a = "secret" wide ascii nocase condition: #a == 2 }
rule fullword_ { strings: $a = "sec" fullword condition: $a }
rule fullword_wide { strings: $a = "secret" wide fullword condition: $a }
rule fullword_regex { strings: $a = /sec[a-z]*/ fullword condition: $a }
rule xor_ { strings: $a = "secret" xor condition: $a }
rule xor_range { strings: $a = "secret" xor(1-64) condition: $a }
rule xor_wide { strings: $a = "secret" xor(32-90) wide condition: $a }
rule base64_ { strings: $a = "a secret text" base64 condition: $a }
rule base64_wide { strings: $a = "a secret text" base64wide condition: $a }
rule hex_ { strings: $a = { 73 65 ?? 72 ( 65 | 66 67 ) [0-3] 74 } condition: $a }
rule hex_nibble { strings: $a = { 7? ?5 63 } condition: $a }
rule hex_jump { strings: $a = { 62 65 67 69 6e [4-40] 65 6e 64 } condition: $a }
rule hex_alternatives { strings: $a = { ( 01 02 03 | 04 05 06 07 ) ?? 08 } condition: $a }
rule regex_ { strings: $a = /b[aeiou]+t{1,3}x?/ condition: $a }
rule regex_nocase { strings: $a = /HELLO (world|there)/i condition: $a }
rule regex_dot { strings: $a = /begin.{1,30}end/s condition: $a }
rule regex_lazy { strings: $a = /begin.*?end/ condition: $a }
rule regex_start { strings: $a = /^#!\/bin\/(ba)?sh/ condition: $a }
rule regex_end { strings: $a = /end\n?$/ condition: $a }
rule regex_word { strings: $a = /\bsec\b/ condition: $a }
rule regex_wide { strings: $a = /sec[a-z]+/ wide condition: $a }
rule regex_class { strings: $a = /[\w.-]{3,12}@[a-z]+\.(com|org)/ condition: $a }
rule regex_digits { strings: $a = /[0-9]{16}/ condition: $a }
rule counts { strings: $a = "a" $b = "b" condition: #a > #b and #b > 1 }
rule counts_in { strings: $a = "a" condition: #a in (0..60) > 2 }
rule at_ { strings: $a = "#!" condition: $a at 0 }
rule in_ { strings: $a = "secret" condition: $a in (0..filesize-10) }
rule offsets { strings: $a = "secret" condition: @a[1] > 4 and !a[1] == 6 }
rule second { strings: $a = "a" condition: @a[2] < @a[3] }
rule no_third { strings: $a = "secret" condition: @a[30] > 0 }
rule any_of { strings: $a = "nowhere" $b = "secret" condition: any of them }
rule all_of { strings: $a = "begin" $b = "end" condition: all of ($a, $b) }
rule none_of { strings: $a1 = "begin" $a2 = "end" condition: none of ($a*) }
rule two_of { strings: $a = "begin" $b = "end" $c = "secret" condition: 2 of them }
rule percent { strings: $a = "begin" $b = "end" $c = "secret" condition: 60% of them }
rule of_in { strings: $a = "begin" $b = "secret" condition: any of them in (0..10) }
rule anonymous { strings: $ = "begin" $ = "end" condition: all of them }
rule for_of { strings: $a = "begin" $b = "secret" condition: for any of them : ( # > 1 ) }
rule for_of_at { strings: $a = "begin" $b = "#!" condition: for any of ($a, $b) : ( $ at 0 ) }
rule for_in { strings: $a = "a" condition: for all i in (1..3) : ( @a[i] < 400 ) }
rule for_list { condition: for any i in (0, 4, 8) : ( uint8(i) == 0x61 ) }
rule for_number { strings: $a = "a" condition: for 2 i in (1..#a) : ( @a[i] % 2 == 0 ) }
rule for_sections { condition: for any section in elf.sections : ( section.name == ".text" and section.size > 0 ) }
rule integers { condition: uint16(0) == 0x2123 or uint32(0) == 0x464c457f or uint32be(0) == 0x7f454c46 }
rule signed { condition: int8(0) < 0 or int16be(0) > 0x4000 }
rule beyond { condition: uint32(filesize - 2) == 0 }
rule not_beyond { condition: not uint32(filesize) == 0 }
rule defined_ { condition: defined uint8(100) }
rule size { condition: filesize > 100 and filesize < 2KB }
rule arithmetic { condition: (filesize * 3 + 7) % 5 == 1 or filesize \ 2 == 10 or (filesize & 1) == 1 }
rule shifts { condition: 1 << 4 == 16 and 256 >> 4 == 16 and (5 ^ 1) == 4 and ~0 == -1 and (4 | 1) == 5 }
rule precedence { condition: 1 + 2 * 3 == 7 and 10 - 2 - 3 == 5 and not 1 == 2 }
rule texts { condition: "abcdef" contains "cde" and "ABC" icontains "bc" and "abc" startswith "a" and "abc" iequals "ABC" and "foo7" matches /o+[0-9]$/ }
rule elf_type { condition: elf.type == elf.ET_DYN or elf.type == elf.ET_EXEC }
rule elf_machine { condition: elf.machine == elf.EM_X86_64 and elf.number_of_segments > 3 }
rule elf_entry { condition: elf.entry_point > 0 and entrypoint == elf.entry_point }
rule elf_segments { condition: for any i in (0..elf.number_of_segments - 1) : ( elf.segments[i].type == elf.PT_INTERP ) }
rule pe_ { condition: pe.machine == pe.MACHINE_I386 and pe.number_of_sections == 1 }
rule entropy { condition: math.entropy(0, filesize) > 5.0 }
rule digest { condition: hash.md5(0, filesize) == "5d41402abc4b2a76b9719d911017c592" or hash.sha256("hello") == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e730443362938b98" }
rule another { condition: is_text and plain }
rule of_rules { condition: any of (plain, pe_) }
`;

/** What Debian's yara does not know yet (4.3 does). */
export const NEWER_RULES = String.raw`
rule hex_not { strings: $a = { 73 ~65 63 } condition: $a }
rule of_at { strings: $a = "begin" $b = "#!" condition: any of them at 0 }
`;

/** With a global rule, which takes files out for all the others. */
export const GLOBAL_RULES = String.raw`
global rule has_newline { strings: $newline = { 0a } condition: $newline }
private global rule is_small { condition: filesize < 1MB }
rule anything { condition: true }
rule late { strings: $a = "secret" private $b = "begin" condition: any of them }
`;

function wide(text: string): Buffer {
  return Buffer.from(text, 'utf16le');
}

function tinyPe(): Buffer {
  const bytes = Buffer.alloc(1024);
  bytes.write('MZ');
  bytes.writeUInt32LE(64, 60);
  bytes.write('PE\0\0', 64, 'latin1');
  bytes.writeUInt16LE(0x14c, 68);
  bytes.writeUInt16LE(1, 70);
  bytes.writeUInt16LE(0xe0, 84);
  bytes.writeUInt16LE(2, 86);
  bytes.writeUInt16LE(0x10b, 88);
  bytes.writeUInt32LE(0x1000, 104);
  bytes.writeUInt32LE(0x400000, 116);
  bytes.writeUInt32LE(0x1000, 120);
  bytes.writeUInt32LE(0x200, 124);
  bytes.writeUInt32LE(16, 180);
  bytes.write('.text', 312);
  for (const [offset, value] of [[320, 0x200], [324, 0x1000], [328, 0x200], [332, 0x200], [348, 0x60000020]] as const) bytes.writeUInt32LE(value, offset);
  return bytes;
}

export const FILES: Readonly<Record<string, Buffer>> = {
  hello: Buffer.from('hello'),
  script: Buffer.from('#!/bin/bash\nbegin a secret text with a bat and a beettx\nand the end\n'),
  twice: Buffer.from('the secret is a Secret, begin; begin now, it must end: someone@example.com Hello World 1234567890123456 end\n\n\n'),
  wide: Buffer.concat([wide('a secret text'), Buffer.from('\n secrets \n'), wide('secrets'), Buffer.from(' sec ')]),
  xored: Buffer.concat([Buffer.from('....'), Buffer.from('secret').map((byte) => byte ^ 42), Buffer.from('....'), wide('secret').map((byte) => byte ^ 77)]),
  base64: Buffer.from(`${Buffer.from('this is a secret text indeed').toString('base64')}\n${Buffer.from('!a secret text').toString('base64')}\n`),
  base64wide: wide(Buffer.from('so: a secret text').toString('base64')),
  bytes: Buffer.from([1, 2, 3, 9, 8, 0, 4, 5, 6, 7, 0, 8, 0x73, 0x64, 0x63, 0x7f, 0x65, 0x63, ...Buffer.from('secrfg..t'), 0xff, 0xfe]),
  pe: tinyPe(),
  empty: Buffer.alloc(0),
};

/** Numbers that are the same on each run. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const LETTERS = ['a', 'b', 'c', 'd'];

function randomRegex(random: (below: number) => number, depth = 0): string {
  const parts = Array.from({ length: 1 + random(4) }, () => {
    const kind = random(depth < 2 ? 7 : 5);
    const atom = kind < 3 ? LETTERS[random(4)]! : kind === 3 ? `[${LETTERS[random(4)]}${LETTERS[random(4)]}]` : kind === 4 ? '.' : `(${randomRegex(random, depth + 1)}|${randomRegex(random, depth + 1)})`;
    return atom + (['', '', '', '', '?', '*', '+', '{2}', '{1,3}'][random(9)] ?? '');
  });
  return parts.join('');
}

function randomHex(random: (below: number) => number): string {
  const hex = (): string => ['61', '62', '63', '64', '6?', '?1', '??'][random(7)]!;
  const parts = [hex()];
  for (let count = 1 + random(5); count > 0; count--) parts.push(random(5) === 0 ? `( ${hex()} ${hex()} | ${hex()} )` : random(4) === 0 ? `[${random(2)}-${2 + random(3)}] ${hex()}` : hex());
  return parts.join(' ');
}

/** Strings of four letters, so that each is found somewhere; all start with a letter, and none can be empty. */
export function randomRules(count: number, seed: number): string {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, (_, index) => {
    const kind = random(4);
    const text = Array.from({ length: 2 + random(4) }, () => LETTERS[random(4)]).join('');
    const string = kind === 0 ? `"${text}"${['', ' nocase', ' wide', ' fullword', ' wide ascii'][random(5)]}` : kind === 1 ? `{ ${randomHex(random)} }` : `/${LETTERS[random(4)]}${randomRegex(random)}${LETTERS[random(4)]}/${random(4) === 0 ? 'i' : ''}${random(6) === 0 ? ' fullword' : ''}`;
    return `rule random_${index} { strings: $a = ${string} condition: $a }`;
  }).join('\n');
}

export function randomFiles(count: number, seed: number): Readonly<Record<string, Buffer>> {
  const random = randomNumbers(seed);
  return Object.fromEntries(Array.from({ length: count }, (_, index) => {
    const letters = 'aaabbbcccdddA-\n\0';
    return [`random-${index}`, Buffer.from(Array.from({ length: random(200) }, () => letters[random(letters.length)]).join(''), 'latin1')];
  }));
}
