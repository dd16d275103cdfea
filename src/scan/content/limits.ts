/** Bounds of the analysers of content. Whoever writes an image chooses what is in its files; none of it may cost more than this. */

/** Of a file that is text, for secrets and settings: the longest configuration and script that are of use; larger ones are data, and their start is read. */
export const MOST_TEXT_BYTES = 4 << 20;
/** Of any file, for the rules on malware: shells, miners and droppers are smaller, and the head of a larger one shows what it is. */
export const MOST_CONTENT_BYTES = 16 << 20;
/** Findings of one rule in one file; more say nothing new. */
export const MOST_FINDINGS_PER_RULE_AND_FILE = 20;
/** Secrets of all rules in one file. */
export const MOST_SECRETS_PER_FILE = 200;
/** Bytes that are looked at again around words of interest in one file, and steps of expressions; then the rest of the file is left out, and that is told. */
export const MOST_SECRET_STEPS = 16_000_000;
/** Of one line: longer ones are cut. */
export const MOST_LINE_LENGTH = 4096;

/** Nodes of one regular expression, repeats counted out; also empty ones. Its automaton has four instructions for each at most. */
export const MOST_PATTERN_NODES = 20_000;
/** Groups within groups in a regular expression; the parser recurses. */
export const MOST_PATTERN_DEPTH = 100;
/** States of the automaton of one expression that are kept; then it forgets them and goes on. */
export const MOST_KEPT_STATES = 2_000;
/** Their positions in its expression, together. */
export const MOST_KEPT_POSITIONS = 1 << 21;
/** The longest match of an expression without a bound of its own, in bytes. YARA's own figure is 4096. */
export const MOST_MATCH_BYTES = 4096;
/** States of all keywords of one set together. */
export const MOST_KEYWORD_STATES = 1 << 20;
/** Entries of their table, four bytes each. */
export const MOST_KEYWORD_ENTRIES = 1 << 25;

/** Bytes of a set of YARA rules. */
export const MOST_RULE_BYTES = 16 << 20;
export const MOST_RULES = 50_000;
export const MOST_STRINGS_PER_RULE = 10_000;
/** Of one text or regular expression in a rule. YARA's own bound (`LEX_BUF_SIZE`). */
export const MOST_RULE_TEXT_LENGTH = 8192;
/** Values within values of a condition; the parser recurses. */
export const MOST_CONDITION_DEPTH = 200;
/** The same once it is parsed, where chains as `1 + 1 + 1` are within each other as well; those of `and` and `or` are not. */
export const MOST_EVALUATION_DEPTH = 1000;
/** Places that one string is noted at in a file. */
export const MOST_MATCHES_PER_STRING = 10_000;
/** Steps of automata beyond the one pass, over all strings, in one file: a second or two. A string that has used up its share counts as not found, and the file is noted. */
export const MOST_MATCH_STEPS = 60_000_000;
/** The share of one string. */
export const MOST_MATCH_STEPS_PER_STRING = 20_000_000;
/** Steps of conditions in one file. */
export const MOST_CONDITION_STEPS = 10_000_000;
/** The share of one rule. */
export const MOST_CONDITION_STEPS_PER_RULE = 1_000_000;

/** Sections and segments of an ELF or PE file that are looked at. */
export const MOST_SECTIONS = 4096;
/** Imports of a PE file that are looked at. */
export const MOST_IMPORTS = 16_384;

/** Files that Include of sshd_config names, in all, and as many patterns; sshd's own bound of depth is 16. */
export const MOST_INCLUDED_FILES = 256;
export const MOST_INCLUDE_DEPTH = 16;
/** Lines of a configuration file that are looked at. */
export const MOST_CONFIGURATION_LINES = 100_000;

/** Of one rule of sudo or PAM, its continued lines together: the expressions that read it look ahead, and take the square of it. */
export const MOST_RULE_LENGTH = 1024;

/** Accounts of a shadow file whose passwords are tried. */
export const MOST_TRIED_ACCOUNTS = 64;
/** Milliseconds that trying passwords of one file may take: a dozen words of yescrypt, a hundred of sha512crypt, all of the faster ones. What was found is kept with the layer. */
export const PASSWORD_MILLISECONDS = 5_000;
/** Rounds and bytes of memory that a hash may ask for; one that asks for more is not tried. */
export const MOST_HASH_ROUNDS = 1_000_000;
export const MOST_HASH_BYTES = 64 << 20;

/** Lines of dpkg's list of checksums, over all packages; and of a list of digests of bad files. */
export const MOST_CHECKSUMS = 1_000_000;
/** Characters of the digests of one database of rpm: 300,000 files have 40 MB. */
export const MOST_DIGEST_TEXT = 48 * 2 ** 20;
/** Of an image: files that are not what their packages brought; of more the number is told. */
export const MOST_CHANGED_FILES = 1000;
/** Bytes of a list of digests: 128 for each line. */
export const MOST_DIGEST_LIST_BYTES = 128 << 20;
/** Of one of its lines. */
export const MOST_DIGEST_LINE_LENGTH = 1000;
