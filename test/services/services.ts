/** The services, with what shows that each does its work. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { client, eventually, imageOf, must, type Service } from './harness.ts';

const curl = (url: string): Promise<string> => client('curl', ['--silent', '--show-error', '--fail', '--max-time', '60', url]);

/** All of so many requests are answered; answers how many there were a second. */
async function manyRequests(url: string, count: number, ...flags: readonly string[]): Promise<string> {
  const text = await client('ab', ['-q', '-n', String(count), '-c', '8', ...flags, url]);
  assert.match(text, new RegExp(`Complete requests: +${count}\n`));
  assert.match(text, /Failed requests: +0\n/);
  return /Requests per second: +([\d.]+)/.exec(text)?.[1] ?? '';
}

const first = (text: string, pattern: RegExp): string => pattern.exec(text)?.[1] ?? assert.fail(`${String(pattern)} is not in ${text}`);

const nginx: Service = {
  name: 'nginx', packages: 'nginx-light', ports: [80], start: 'exec nginx -g "daemon off;"',
  check: async (running, scratch) => {
    const url = `http://127.0.0.1:${await running.listening(80)}/`;
    assert.match(await eventually(() => curl(url)), /Welcome to nginx/);
    const bytes = randomBytes(3_000_000).toString('hex');
    writeFileSync(join(scratch, 'file'), bytes);
    await running.shell('cp /scratch/file /var/www/html/file');
    assert.equal(await curl(`${url}file`), bytes);
    await manyRequests(url, 2000, '-k');
    await running.shell('nginx -s reload');
    await manyRequests(url, 500);
    return '2,500 requests of ab answered, before and after a reload; a file of 6 MB as it is';
  },
};

const redis: Service = {
  name: 'redis', packages: 'redis-server', ports: [6379],
  start: 'exec redis-server --bind 0.0.0.0 --protected-mode no --dir /var/lib/redis --appendonly yes --appendfsync always',
  check: async (running) => {
    const cli = async (...words: readonly string[]): Promise<string> => client('redis-cli', ['-h', '127.0.0.1', '-p', String(await running.port(6379)), ...words]);
    await running.listening(6379);
    await eventually(async () => assert.equal(await cli('ping'), 'PONG\n'));
    await client('redis-benchmark', ['-h', '127.0.0.1', '-p', String(await running.port(6379)), '-t', 'set,get,incr,lpush,zadd', '-n', '2000', '-q']);
    for (let round = 1; round <= 3; round++) {
      await cli('set', 'round', String(round));
      await cli('rpush', 'list', String(round));
      await must(['kill', running.name]);
      await must(['wait', running.name]);
      await must(['start', running.name]);
      await running.listening(6379);
      await eventually(async () => assert.equal(await cli('get', 'round'), `${round}\n`));
    }
    assert.equal(await cli('lrange', 'list', '0', '-1'), '1\n2\n3\n');
    return 'redis-benchmark; killed three times, and nothing lost that was answered for (append-only file)';
  },
};

/** psql and pgbench of the container, by way of its socket. */
const postgres: Service = {
  name: 'postgresql', packages: 'postgresql postgresql-contrib', ports: [5432],
  start: 'echo "host all all all trust" >> /etc/postgresql/15/main/pg_hba.conf; exec su postgres -c "exec /usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main -c config_file=/etc/postgresql/15/main/postgresql.conf -c listen_addresses=\'*\'"',
  check: async (running) => {
    const query = (sql: string): Promise<string> => running.exec('su', 'postgres', '-c', `psql -At -v ON_ERROR_STOP=1 -c "${sql}"`);
    const bench = (words: string): Promise<string> => running.exec('su', 'postgres', '-c', `pgbench ${words}`);
    await eventually(() => query('select 1'));
    await bench('-q -i -s 2');
    const seconds = 120;
    const text = await bench(`-c 4 -T ${seconds}`);
    assert.match(text, /number of failed transactions: 0 /);
    const transactions = first(text, /actually processed: (\d+)/);
    assert.equal(await query('select count(*) from pgbench_history'), `${transactions}\n`);
    assert.equal(await query('select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history) and (select sum(bbalance) from pgbench_branches) = (select sum(tbalance) from pgbench_tellers)'), 't\n');
    await bench('-n -S -c 4 -t 500');
    // Killed while four write.
    const last = bench('-n -c 4 -T 60').catch(() => '');
    await eventually(async () => assert.ok(Number(await query('select count(*) from pgbench_history')) > Number(transactions) + 50));
    await must(['kill', running.name]);
    await last;
    await must(['start', running.name]);
    await eventually(() => query('select 1'));
    assert.match(await running.said(), /automatic recovery in progress/);
    assert.equal(await query('select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history)'), 't\n');
    return `pgbench for ${seconds} s with four clients, its sums right; killed while they wrote, recovered, and right again`;
  },
};

const mariadb: Service = {
  name: 'mariadb', packages: 'mariadb-server', ports: [3306],
  before: "RUN mkdir -p /etc/mysql/conf.d && printf '[mysqld]\\ninnodb_buffer_pool_size_max=256M\\n' > /etc/mysql/conf.d/pool.cnf",
  start: 'mkdir -p /run/mysqld && chown mysql /run/mysqld && exec mariadbd --user=mysql --bind-address=0.0.0.0',
  check: async (running) => {
    const query = (sql: string): Promise<string> => running.exec('mariadb', '-N', '-e', sql);
    await eventually(() => running.exec('mariadb-admin', 'ping'));
    await query('create database d; create table d.t (i int primary key auto_increment, s varchar(40), index (s)) engine=innodb');
    await query("insert into d.t (s) values ('one'), ('two'), ('three'); insert into d.t (s) select concat(a.s, b.s, c.s) from d.t a, d.t b, d.t c");
    assert.equal(await query('select count(*), count(distinct s) from d.t'), '30\t30\n');
    await running.exec('mariadb-slap', '--auto-generate-sql', '--concurrency=4', '--number-of-queries=1000');
    await must(['kill', running.name]);
    await must(['wait', running.name]);
    await must(['start', running.name]);
    await eventually(() => running.exec('mariadb-admin', 'ping'));
    assert.equal(await query('check table d.t; select count(*) from d.t'), 'd.t\tcheck\tstatus\tOK\n30\n');
    return '1,000 queries of mariadb-slap; killed, recovered, and its table is right (with `innodb_buffer_pool_size_max`, which by itself reserves 8 TiB)';
  },
};

const memcached: Service = {
  name: 'memcached', packages: 'memcached', ports: [11211], start: 'exec memcached -u nobody -l 0.0.0.0',
  check: async (running) => {
    const port = String(await running.listening(11211));
    const lines = Array.from({ length: 2000 }, (_, index) => `set key${index} 0 0 ${String(index).length}\r\n${index}\r\nget key${index}\r\n`);
    const text = await client('nc', ['-N', '127.0.0.1', port], `${lines.join('')}quit\r\n`);
    assert.equal(text, Array.from({ length: 2000 }, (_, index) => `STORED\r\nVALUE key${index} 0 ${String(index).length}\r\n${index}\r\nEND\r\n`).join(''));
    return '2,000 keys set and read';
  },
};

const node: Service = {
  name: 'node', packages: 'nodejs', ports: [8080],
  start: `exec node -e 'let n = 0; require("http").createServer((q, r) => { let size = 0; q.on("data", (d) => (size += d.length)).on("end", () => r.end(process.version + " " + ++n + " " + size + "\\n")); }).listen(8080, "0.0.0.0")'`,
  check: async (running) => {
    const url = `http://127.0.0.1:${await running.listening(8080)}/`;
    const version = first(await curl(url), /^(v18\.\S+) \d+ 0\n$/);
    assert.match(await client('curl', ['-sS', '--data-binary', 'x'.repeat(100_000), url]), /^v18\.\S+ \d+ 100000\n$/);
    await manyRequests(url, 2000, '-k', '-l');
    return `Node.js ${version}: 2,000 requests of ab answered`;
  },
};

const openssh: Service = {
  name: 'openssh', packages: 'openssh-server openssh-client', ports: [22],
  start: 'mkdir -p /run/sshd /root/.ssh; ssh-keygen -q -t ed25519 -N "" -f /scratch/key; cp /scratch/key.pub /root/.ssh/authorized_keys; exec /usr/sbin/sshd -D -e',
  check: async (running, scratch) => {
    const port = String(await running.listening(22));
    const flags = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR', '-i', join(scratch, 'key')];
    const ssh = (...words: readonly string[]): Promise<string> => client('ssh', [...flags, '-p', port, 'root@127.0.0.1', ...words]);
    assert.equal(await ssh('id -un; tty || true'), 'root\nnot a tty\n');
    assert.match(await client('ssh', ['-tt', ...flags, '-p', port, 'root@127.0.0.1', 'tty']), /^\/dev\/pts\/\d+\r\n/);
    writeFileSync(join(scratch, 'big'), randomBytes(10_000_000));
    await client('scp', ['-q', ...flags, '-P', port, join(scratch, 'big'), 'root@127.0.0.1:/root/big']);
    await running.shell('cmp /scratch/big /root/big');
    assert.equal(await running.shell('ssh -o StrictHostKeyChecking=no -o LogLevel=ERROR -i /scratch/key localhost "echo from; hostname" < /dev/null'), `from\n${await running.shell('hostname')}`);
    return 'ssh with and without a terminal, scp of 10 MB; its own client to its own server';
  },
};

/** Runs a script in a container of its own. */
function inContainer(service: Service, scratch: string, script: string): Promise<string> {
  return must(['run', '--rm', '-v', `${scratch}:/scratch`, imageOf(service), 'sh', '-ec', script]);
}

const JAVA_SERVER = `import com.sun.net.httpserver.*; import java.net.*; import java.util.stream.*;
public class Server {
  record Answer(long sum) {}
  public static void main(String[] words) throws Exception {
    var server = HttpServer.create(new InetSocketAddress("0.0.0.0", 8080), 0);
    server.createContext("/", exchange -> {
      var bytes = (new Answer(IntStream.range(0, 100000).parallel().asLongStream().sum()) + "\\n").getBytes();
      exchange.sendResponseHeaders(200, bytes.length);
      try (var out = exchange.getResponseBody()) { out.write(bytes); }
    });
    server.start();
  }
}`;

const java: Service = {
  name: 'java', packages: 'openjdk-17-jdk-headless', ports: [8080],
  start: `mkdir /app; cat > /app/Server.java <<'END'\n${JAVA_SERVER}\nEND\njavac -d /app /app/Server.java; exec java -cp /app Server`,
  check: async (running) => {
    const url = `http://127.0.0.1:${await running.listening(8080)}/`;
    assert.equal(await eventually(() => curl(url)), 'Answer[sum=4999950000]\n');
    await manyRequests(url, 300, '-k');
    return 'javac, and a program with records, streams and an HTTP server: 300 requests answered';
  },
};

const go: Service = {
  name: 'go', packages: 'golang-go', ports: [8080],
  start: `mkdir /app; cd /app; cat > main.go <<'END'
package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
)

var count int64

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "go", atomic.AddInt64(&count, 1)) })
	panic(http.ListenAndServe(":8080", nil))
}
END
GO111MODULE=off go build -o server main.go; exec ./server`,
  check: async (running) => {
    const url = `http://127.0.0.1:${await running.listening(8080)}/`;
    assert.match(await eventually(() => curl(url)), /^go \d+\n$/);
    await manyRequests(url, 2000, '-k', '-l');
    assert.match(await curl(url), /^go 20\d\d\n$/);
    return 'go build, and an HTTP server: 2,000 requests answered';
  },
};

const cargo: Service = {
  name: 'cargo', packages: 'cargo',
  check: async (_running, scratch) => {
    const text = await inContainer(cargo, scratch, `cargo new --quiet --vcs none /tmp/app; cd /tmp/app
cat > src/main.rs <<'END'
use std::{sync::mpsc, thread};
fn main() {
    let (tx, rx) = mpsc::channel();
    for n in 0..4u64 { let tx = tx.clone(); thread::spawn(move || tx.send((1..=n * 5).product::<u64>()).unwrap()); }
    drop(tx);
    let mut all: Vec<u64> = rx.iter().collect();
    all.sort();
    println!("{all:?}");
}
#[test]
fn adds() { assert_eq!(1 + 1, 2); }
END
cargo run --quiet --release; cargo test --quiet 2>&1 | grep 'test result'`);
    assert.match(text, /^\[1, 120, 3628800, 1307674368000\]\ntest result: ok\. 1 passed/);
    return 'cargo build, run and test of a program with threads';
  },
};

const ruby: Service = {
  name: 'ruby', packages: 'ruby ruby-webrick', ports: [8080],
  start: `exec ruby -rwebrick -e 's = WEBrick::HTTPServer.new(Port: 8080, BindAddress: "0.0.0.0", AccessLog: []); s.mount_proc("/") { |q, r| r.body = "ruby #{(1..20).reduce(:*)}\\n" }; s.start'`,
  check: async (running) => {
    const url = `http://127.0.0.1:${await running.listening(8080)}/`;
    assert.equal(await eventually(() => curl(url)), 'ruby 2432902008176640000\n');
    await manyRequests(url, 300);
    return 'WEBrick: 300 requests answered';
  },
};

const php: Service = {
  name: 'php', packages: 'php-cli', ports: [8080], start: `mkdir /www; echo '<?php header("X-Sum: ".array_sum(range(1, 100))); echo json_encode(["n" => $_GET["n"] ** 2]), "\\n";' > /www/index.php; exec php -S 0.0.0.0:8080 -t /www`,
  check: async (running) => {
    const url = `http://127.0.0.1:${await running.listening(8080)}/?n=12`;
    assert.match(await eventually(() => client('curl', ['-sSi', url])), /X-Sum: 5050\r\n[^]*\r\n\r\n\{"n":144\}\n$/);
    await manyRequests(url, 500);
    return 'its own server: 500 requests answered';
  },
};

const PIKA = `import pika
c = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1")); ch = c.channel()
ch.queue_declare("q", durable=True); ch.confirm_delivery()
for n in range(300): ch.basic_publish("", "q", str(n).encode(), pika.BasicProperties(delivery_mode=2))
got = [int(body) for _, _, body in (ch.basic_get("q", auto_ack=True) for _ in range(200))]
assert got == list(range(200)), got
c.close()`;

const rabbitmq: Service = {
  name: 'rabbitmq', packages: 'rabbitmq-server python3-pika', ports: [5672], flags: ['--hostname', 'rabbit'], start: 'exec rabbitmq-server',
  check: async (running) => {
    await eventually(async () => assert.match(await running.said(), /Starting broker\.\.\. completed/));
    // It answers what it does not know with the version that it speaks.
    assert.equal(await client('nc', ['-q', '60', '127.0.0.1', String(await running.port(5672))], 'AMQP\0\x09\x09\x09'), 'AMQP\0\0\x09\x01');
    await running.exec('python3', '-c', PIKA);
    assert.match(await running.exec('rabbitmqctl', '-q', 'list_queues', 'name', 'messages'), /^q\t100$/m);
    await running.exec('rabbitmqctl', '-q', 'stop_app');
    await running.exec('rabbitmqctl', '-q', 'start_app');
    assert.match(await running.exec('rabbitmqctl', '-q', 'list_queues', 'name', 'messages'), /^q\t100$/m);
    return 'an Erlang program: 300 messages by a client of Python, of which 200 are fetched; the others are there when it was stopped and started';
  },
};

export const SERVICES: readonly Service[] = [nginx, redis, postgres, mariadb, memcached, node, openssh, java, go, cargo, ruby, php, rabbitmq];
