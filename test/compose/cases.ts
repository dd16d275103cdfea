/** Compose files that Docker Compose 1.29 understands as well: directories below `cases/`, and how each is read. */
import { fileURLToPath } from 'node:url';

export const CASES_DIRECTORY = fileURLToPath(new URL('./cases', import.meta.url));

export interface Case {
  readonly name: string;
  readonly files: readonly string[];
}

export const CASES: readonly Case[] = [
  { name: 'plain', files: ['compose.yaml'] }, { name: 'interpolation', files: ['compose.yaml'] }, { name: 'merge', files: ['compose.yaml', 'override.yaml'] }, { name: 'extends', files: ['compose.yaml'] },
  { name: 'files', files: ['compose.yaml'] }, { name: 'anchors', files: ['compose.yaml'] },
];

/** What each is read with, beside its own `.env`. */
export const ENVIRONMENT: Readonly<Record<string, string>> = { HOME: '/home/me', FROM_HOST: 'host', LOCAL: 'local' };

export function caseKey({ name, files }: Case): string {
  return [name, ...files].join(' ');
}
