/** `scan` and `db` in one part of the program: both know what is in the room, and no other command does. */
export { scanCommand } from './scan.ts';
export { dbImportCommand, dbInfoCommand, dbPushCommand, dbUpdateCommand } from './db.ts';
