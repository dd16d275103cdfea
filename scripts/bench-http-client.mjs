/**
 * Asks a server of HTTP/1.1 over connections that stay open, one request at a time on each, and prints how many were answered a second. `ab` speaks
 * HTTP/1.0, to which Node.js answers with a connection for each request, whatever was asked for.
 *
 *   node scripts/bench-http-client.mjs PORT REQUESTS CONNECTIONS
 *
 * The answers' body is `Hello` and a line feed, chunked or not. Status 1 where one connection failed or was closed by the server.
 */
import { connect } from 'node:net';

const [port, requests, connections] = process.argv.slice(2).map(Number);
const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
const ENDS = ['\r\n\r\nHello\n', '\r\nHello\n\r\n0\r\n\r\n'];
let left = requests;
let answered = 0;
const started = performance.now();

function fail(why) {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}

for (let number = 0; number < connections; number++) {
  const socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
  let answer = '';
  const ask = () => {
    if (left === 0) {
      socket.destroy();
      return;
    }
    left--;
    socket.write(REQUEST);
  };
  socket.on('connect', ask).on('error', (error) => fail(error.message)).on('end', () => fail('the server has closed a connection'));
  socket.on('data', (text) => {
    answer += text;
    if (!ENDS.some((end) => answer.endsWith(end))) return;
    answer = '';
    answered++;
    ask();
  });
}
process.on('exit', (status) => {
  if (status === 0) process.stdout.write(`${(answered / (performance.now() - started) * 1000).toFixed(1)}\n`);
});
