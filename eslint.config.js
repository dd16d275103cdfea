/** The house rules that a linter can hold. Import direction has a test of its own: scripts/check-imports.mjs. */
import tseslint from 'typescript-eslint';

/** Tables of data and generated files may be long; everything else may not. */
const TABLES = [
  'src/abi/**',
  'src/machine/isa/table*.ts',
  'src/machine/isa/tables/**',
  'src/machine/isa/*-table.ts',
  'src/kernel/syscalls/table.ts',
  'src/kernel/syscalls/unimplemented.ts',
];

export default tseslint.config(
  { ignores: ['dist/', '.cache/', 'node_modules/', 'bench/', 'coverage/', 'src/machine/decoder/assembly/'] },
  {
    files: ['src/**/*.ts', 'test/**/*.ts', 'scripts/**/*.mjs', '*.js'],
    extends: [tseslint.configs.base],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx', 'hack'], location: 'anywhere' }],
      'max-lines': ['error', { max: 600 }],
      'max-lines-per-function': ['error', { max: 80 }],
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-debugger': 'error',
      'no-dupe-keys': 'error',
      'no-unreachable': 'error',
      'no-self-compare': 'error',
      'no-throw-literal': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'A union of literals or a const object instead of an enum.' },
        { selector: 'TSModuleDeclaration[kind!="global"]', message: 'Modules instead of namespaces.' },
        { selector: 'TSParameterProperty', message: 'Declare the field and assign it.' },
        { selector: 'ExportDefaultDeclaration', message: 'Named exports.' },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none', ignoreRestSiblings: true }],
      '@typescript-eslint/no-non-null-asserted-optional-chain': 'error',
    },
  },
  {
    files: [...TABLES, '**/*.test.ts', 'test/**/*.ts'],
    rules: { 'max-lines': 'off', 'max-lines-per-function': 'off' },
  },
  { files: ['eslint.config.js'], rules: { 'no-restricted-syntax': 'off' } },
);
