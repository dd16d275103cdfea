/**
 * Where the sources ask for a capability, found by reading them: every mention of `CAP_*` in the kernel, the file systems and the network,
 * with the function that it is in. Nothing here is known by heart but what each place is about, and a place without words, or words without a place,
 * is an error.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url));
const ROOMS = ['kernel', 'fs', 'net', 'container', 'machine'];
/** What asks for a capability in the first user namespace only. */
const OF_THE_FIRST = new Set(['capable', 'capableInFirst']);

export interface CapabilityCheck {
  /** `CAP_KILL`. */
  readonly capability: string;
  /** File below `src`, and functions from the outermost to the innermost: `kernel/syscalls/signal.ts maySignal`. */
  readonly place: string;
  /** Only who has it in the first user namespace has what is asked for. */
  readonly first: boolean;
}

function sourceFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory()) return sourceFiles(path);
    return path.endsWith('.ts') && !path.endsWith('.test.ts') ? [path] : [];
  }).sort();
}

/** The name of a function, or of what is made of one: `const chown = onKey(..., (task) => ...)`. */
function nameOf(node: ts.Node): string | undefined {
  if (ts.isConstructorDeclaration(node)) return 'constructor';
  if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isAccessor(node)) return node.name?.getText();
  if (ts.isPropertyAssignment(node)) return node.name.getText();
  const isTop = ts.isVariableDeclaration(node) && ts.isSourceFile(node.parent.parent.parent);
  const { initializer } = ts.isVariableDeclaration(node) ? node : { initializer: undefined };
  return initializer !== undefined && (ts.isArrowFunction(initializer) || (isTop && ts.isCallExpression(initializer))) ? (node as ts.VariableDeclaration).name.getText() : undefined;
}

function calledWith(node: ts.Node): string {
  if (!ts.isCallExpression(node.parent)) return '';
  const { expression } = node.parent;
  return ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();
}

/** All checks, by file and line; the constants of `known` are looked for. */
export function findCapabilityChecks(known: ReadonlySet<string>): CapabilityCheck[] {
  const found: CapabilityCheck[] = [];
  for (const path of ROOMS.flatMap((room) => sourceFiles(`${SOURCE}${room}`))) {
    const text = readFileSync(path, 'utf8');
    if (!text.includes('CAP_')) continue;
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
    const visit = (node: ts.Node, functions: readonly string[]): void => {
      const name = nameOf(node);
      const inside = name === undefined ? functions : [...functions, name];
      if (ts.isIdentifier(node) && known.has(node.text) && !ts.isImportSpecifier(node.parent)) {
        found.push({ capability: node.text, place: `${path.slice(SOURCE.length)} ${inside.join('.')}`.trim(), first: OF_THE_FIRST.has(calledWith(node)) });
      }
      node.forEachChild((child) => visit(child, inside));
    };
    visit(file, []);
  }
  return found;
}
