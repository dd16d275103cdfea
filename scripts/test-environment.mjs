/**
 * Loaded into each test's process before it: TypeScript as it stands, and no trace of that in what the test
 * starts, which is the built command as a user has it.
 */
import { register } from 'tsx/esm/api';

register();
delete process.env.NODE_OPTIONS;
// What commands leave to other processes has tests of its own; the others are not slowed down by it.
process.env.CAISSON_BACKGROUND = 'off';
