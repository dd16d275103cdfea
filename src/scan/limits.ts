/** Bounds on all that an image, a bill of materials, an advisory or a mirror controls: each with its reason. */

/** Lists of installed packages (dpkg's status, apk's installed). Debian with 5,000 packages: 6 MB. */
export const MOST_LIST_BYTES = 64 * 2 ** 20;
/** A database of rpm: 400 packages make 30 MB. */
export const MOST_RPM_BYTES = 512 * 2 ** 20;
/** Lock files: the largest known ones of monorepos have 5 MB. */
export const MOST_LOCK_BYTES = 32 * 2 ** 20;
/** `package.json`, METADATA, a gemspec. */
export const MOST_MANIFEST_BYTES = 2 ** 20;
/** A jar, war or ear, or one within another. */
export const MOST_JAR_BYTES = 512 * 2 ** 20;
/** Bytes of nested jars and documents of one jar together, uncompressed. */
export const MOST_NESTED_BYTES = 2 ** 30;
/** Jars within jars: Spring Boot in a war in an ear is three. */
export const MOST_JAR_DEPTH = 5;
export const MOST_ZIP_ENTRIES = 200_000;
/** Three lines and a comment. */
export const MOST_POM_PROPERTIES_BYTES = 64 * 2 ** 10;
/** A manifest of a jar: with a digest for each file. */
export const MOST_JAR_DOCUMENT_BYTES = 2 ** 20;
/** What a Go or Rust program says it is made of. */
export const MOST_BUILD_INFO_BYTES = 8 * 2 ** 20;
export const MOST_ELF_SECTIONS = 10_000;
/** Of one file: more is no list of packages but an attack. */
export const MOST_PACKAGES = 200_000;
/** A name or a version: longer ones are passed over. */
export const MOST_NAME_CHARACTERS = 512;
/** Directories within each other, and things in a directory tree that is looked at. */
export const MOST_DEPTH = 256;
export const MOST_FILES = 4_000_000;
/** Findings that one analyser may have in one layer. */
export const MOST_FINDINGS = 20_000;
/** Facts of an analyser of one layer, as JSON. */
export const MOST_FACT_BYTES = 64 * 2 ** 20;
/** A bill of materials. */
export const MOST_SBOM_BYTES = 256 * 2 ** 20;
/** JSON or YAML within each other. */
export const MOST_NESTING = 200;
/** A file of advisories, uncompressed: Debian's whole tracker has 60 MB. */
export const MOST_ADVISORY_BYTES = 512 * 2 ** 20;
/** Ranges and versions of one advisory; Linux's have 5,000. */
export const MOST_RANGES = 20_000;
/** A list of packages of a mirror, uncompressed: Debian's main has 50 MB. */
export const MOST_INDEX_BYTES = 512 * 2 ** 20;
/** A file of OpenPGP keys: Debian's, of all its releases, has 60 KB. */
export const MOST_KEYRING_BYTES = 2 ** 20;
/** Files of keys of one layer, or for one source: Debian has twenty with 250 KB together. A small file counts as much as one of a kilobyte. */
export const MOST_KEYRINGS_BYTES = 2 * 2 ** 20;
export const LEAST_KEYRING_BYTES = 1024;
/** Signatures on a suite's list: Debian's have three. */
export const MOST_SIGNATURES = 32;
/** A package that is fetched for its list of changes. */
export const MOST_DEB_BYTES = 256 * 2 ** 20;
/** Its list of changes, uncompressed. */
export const MOST_CHANGELOG_BYTES = 16 * 2 ** 20;
