/** Which files are looked into, by their names. */

export type SourceKind = 'dockerfile' | 'yaml' | 'shell' | 'groovy';

/** Also files of assignments and commands that are read in the same way: variables, Terraform and Nomad, units of systemd. */
const SHELL_ENDINGS = ['.sh', '.bash', '.zsh', '.ksh', '.env', '.mk', '.hcl', '.bats', '.tf', '.nomad', '.service', '.container'];
const SHELL_NAMES: ReadonlySet<string> = new Set(['makefile', 'gnumakefile', 'justfile', '.envrc', 'procfile']);
/** Directories of what others wrote, or that machines write. */
const PASSED_OVER: ReadonlySet<string> = new Set(['.git', '.hg', '.svn', 'node_modules', 'vendor', '.venv', 'venv', '__pycache__', '.terraform', '.tox', '.cache']);

export function isPassedOver(directory: string): boolean {
  return PASSED_OVER.has(directory);
}

/** Undefined: a file without an ending may still be a script; its first line says so (`isScript`). */
export function kindOf(fileName: string): SourceKind | undefined {
  const name = fileName.toLowerCase();
  if (/^(?:dockerfile|containerfile)(?:[.-]|$)/.test(name) ? !name.endsWith('.dockerignore') : name.endsWith('.dockerfile') || name.endsWith('.containerfile')) return 'dockerfile';
  if (name.endsWith('.yaml') || name.endsWith('.yml') || name.endsWith('.json') || name.endsWith('.tpl') || name.endsWith('.yaml.gotmpl')) return 'yaml';
  if (SHELL_NAMES.has(name) || SHELL_ENDINGS.some((ending) => name.endsWith(ending))) return 'shell';
  if (name === 'jenkinsfile' || name.startsWith('jenkinsfile.') || name.endsWith('.groovy') || name.endsWith('.jenkinsfile')) return 'groovy';
  return undefined;
}

/** By the first line. */
export function isScript(text: string): boolean {
  return /^#![^\n]{0,200}\b(?:sh|bash|dash|zsh|ksh|ash)\b/.test(text);
}
