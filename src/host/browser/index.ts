/** The browser door. */
export { createBrowserHost } from './host.ts';
