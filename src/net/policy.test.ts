import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify } from './address-class.ts';
import { NetworkPolicy } from './policy.ts';
import { NetworkRuleError, parseNetworkRule } from './rules.ts';

test('classify() sees through IPv6 forms of IPv4 addresses', () => {
  const expected: readonly (readonly [string, string])[] = [
    ['1.1.1.1', 'public'], ['8.8.8.8', 'public'], ['2606:4700::1111', 'public'],
    ['10.1.2.3', 'private'], ['172.16.0.1', 'private'], ['172.32.0.1', 'public'], ['192.168.1.1', 'private'], ['100.64.0.1', 'private'], ['fd12::1', 'private'],
    ['127.0.0.1', 'special'], ['169.254.169.254', 'special'], ['0.0.0.0', 'special'], ['224.0.0.1', 'special'], ['255.255.255.255', 'special'],
    ['168.63.129.16', 'special'], ['100.100.100.200', 'special'], ['fd00:ec2::254', 'special'], ['::1', 'special'], ['::', 'special'], ['fe80::1', 'special'], ['ff02::1', 'special'],
    ['::ffff:127.0.0.1', 'special'], ['::ffff:10.0.0.1', 'private'], ['::ffff:1.1.1.1', 'public'], ['::127.0.0.1', 'special'],
    ['64:ff9b::7f00:1', 'special'], ['64:ff9b::a9fe:a9fe', 'special'], ['64:ff9b::101:101', 'public'], ['64:ff9b:1::1', 'special'],
    ['2002:7f00:1::', 'special'], ['2002:a00:1::', 'private'], ['2001::1', 'special'], ['nonsense', 'special'],
  ];
  for (const [address, kind] of expected) assert.equal(classify(address), kind, address);
});

test('no network and no rules reach nothing', () => {
  const policy = new NetworkPolicy({ mode: 'none' });
  assert.equal(policy.refuses('1.1.1.1', 443), 'none');
  assert.equal(policy.refusesName('example.org'), 'none');
});

test('outbound reaches public addresses only', () => {
  const policy = new NetworkPolicy({ mode: 'outbound' });
  assert.equal(policy.refuses('1.1.1.1', 443), undefined);
  for (const [address, rule] of [['10.0.0.1', 'private'], ['127.0.0.1', 'special'], ['169.254.169.254', 'special'], ['::ffff:169.254.169.254', 'special']] as const) assert.equal(policy.refuses(address, 80), rule, address);
});

test('rules name what may be reached, and nothing else may', () => {
  const policy = new NetworkPolicy({ mode: 'outbound', allow: ['10.1.0.0/16:5432', '[fd00::1]:80', '*.example.org:443'] });
  assert.equal(policy.refuses('10.1.2.3', 5432), undefined);
  assert.equal(policy.refuses('10.1.2.3', 22), 'private');
  assert.equal(policy.refuses('10.2.0.1', 5432), 'private');
  assert.equal(policy.refuses('fd00::1', 80), undefined);
  assert.equal(policy.refuses('1.1.1.1', 443), 'allow-net');
  assert.equal(policy.refusesName('www.example.org'), undefined);
  assert.equal(policy.refusesName('example.com'), 'allow-net');
});

test('a name opens the addresses that it led to, but never the host itself', () => {
  const policy = new NetworkPolicy({ mode: 'outbound', allow: ['db.intern:5432'] });
  assert.equal(policy.refuses('10.9.9.9', 5432), 'private');
  const answer = policy.admit('db.intern', ['10.9.9.9', '127.0.0.1', '169.254.169.254']);
  assert.deepEqual(answer, { addresses: ['10.9.9.9'], refused: [{ address: '127.0.0.1', rule: 'special' }, { address: '169.254.169.254', rule: 'special' }] });
  assert.deepEqual([policy.refuses('10.9.9.9', 5432), policy.refuses('10.9.9.9', 80), policy.refuses('127.0.0.1', 5432), policy.refuses('169.254.169.254', 5432)], [undefined, 'private', 'special', 'special']);
  policy.admit('other.example', ['10.8.8.8']);
  assert.equal(policy.refuses('10.8.8.8', 5432), 'private');
});

test('a name that led to a public address never leads to a neighbour afterwards, and a wildcard never does', () => {
  const policy = new NetworkPolicy({ mode: 'outbound', allow: ['turns.example', '*.wild.example'] });
  assert.deepEqual(policy.admit('turns.example', ['203.0.113.7']).addresses, ['203.0.113.7']);
  assert.deepEqual(policy.admit('turns.example', ['10.0.0.5', '127.0.0.1']), { addresses: [], refused: [{ address: '10.0.0.5', rule: 'pinned' }, { address: '127.0.0.1', rule: 'special' }] });
  assert.deepEqual([policy.refuses('10.0.0.5', 80), policy.refuses('203.0.113.7', 80)], ['private', undefined]);
  // A mixed answer is no way around, whatever comes first.
  const fresh = new NetworkPolicy({ mode: 'outbound', allow: ['mixed.example'] });
  assert.deepEqual(fresh.admit('mixed.example', ['10.0.0.5', '203.0.113.7']).addresses, ['203.0.113.7']);
  assert.deepEqual(policy.admit('a.wild.example', ['10.0.0.6']).refused, [{ address: '10.0.0.6', rule: 'private' }]);
  assert.equal(policy.refuses('10.0.0.6', 80), 'private');
  // Unless the address itself is allowed.
  policy.setRules({ allow: ['*.wild.example', '10.0.0.0/24'] });
  assert.deepEqual(policy.admit('a.wild.example', ['10.0.0.6']).addresses, ['10.0.0.6']);
});

test('what is denied is refused whatever allows it: names, wildcards, ranges, ports, and every form of an address', () => {
  const policy = new NetworkPolicy({ mode: 'outbound', deny: ['*.ads.example', 'tracker.example', 'half.example:80', '203.0.113.0/24', '*:25', '::ffff:198.51.100.7'] });
  assert.deepEqual(['x.ads.example', 'ads.example', 'tracker.example', 'half.example', 'other.example'].map((name) => policy.refusesName(name)), ['deny-net *.ads.example', undefined, 'deny-net tracker.example', undefined, undefined]);
  policy.admit('half.example', ['198.51.100.8']);
  assert.deepEqual([80, 443, 25].map((port) => policy.refuses('198.51.100.8', port)), ['deny-net half.example:80', undefined, 'deny-net *:25']);
  for (const address of ['203.0.113.5', '::ffff:203.0.113.5', '64:ff9b::cb00:7105', '2002:cb00:7105::1']) assert.equal(policy.refuses(address, 443), 'deny-net 203.0.113.0/24', address);
  assert.equal(policy.refuses('198.51.100.7', 1), 'deny-net ::ffff:198.51.100.7');
  assert.deepEqual(policy.admit('points.example', ['203.0.113.9', '198.51.100.9']), { addresses: ['198.51.100.9'], refused: [{ address: '203.0.113.9', rule: 'deny-net 203.0.113.0/24' }] });
  const both = new NetworkPolicy({ mode: 'outbound', allow: ['10.0.0.0/8', '*.example'], deny: ['10.1.0.0/16', 'no.example'] });
  assert.deepEqual([both.refuses('10.2.0.1', 1), both.refuses('10.1.0.1', 1), both.refusesName('yes.example'), both.refusesName('no.example')], [undefined, 'deny-net 10.1.0.0/16', undefined, 'deny-net no.example']);
});

test('* allows all that is public, and denies everything', () => {
  const web = new NetworkPolicy({ mode: 'outbound', allow: ['*:443'] });
  assert.deepEqual([web.refuses('1.1.1.1', 443), web.refuses('1.1.1.1', 80), web.refuses('10.0.0.1', 443), web.refusesName('any.example')], [undefined, 'allow-net', 'private', undefined]);
  const closed = new NetworkPolicy({ mode: 'outbound', deny: ['*'] });
  assert.deepEqual([closed.refuses('1.1.1.1', 443), closed.refusesName('any.example')], ['deny-net *', 'deny-net *']);
});

test('names of one address are bounded, and so are addresses', () => {
  const policy = new NetworkPolicy({ mode: 'outbound', allow: ['*.example'] });
  for (let index = 0; index < 1000; index++) policy.admit(`n${index}.example`, ['203.0.113.7']);
  assert.equal(policy.namesOf('203.0.113.7').length, 64);
  for (let index = 0; index < 5000; index++) policy.admit('n.example', [`203.${index >> 8}.1.${index & 255}`]);
  assert.deepEqual([policy.refuses('203.0.1.0', 1), policy.refuses('203.19.1.135', 1)], ['allow-net', undefined]);
});

test('a range as wide as the Internet does not open the host', () => {
  const policy = new NetworkPolicy({ mode: 'outbound', allow: ['0.0.0.0/0', '127.0.0.1:8080'] });
  assert.equal(policy.refuses('1.1.1.1', 80), undefined);
  assert.equal(policy.refuses('169.254.169.254', 80), 'special');
  assert.equal(policy.refuses('127.0.0.1', 80), 'special');
  assert.equal(policy.refuses('127.0.0.1', 8080), undefined);
});

test('rules that make no sense are refused with the reason', () => {
  for (const rule of ['', ':80', 'host:0', 'host:99999', 'a b', '10.0.0.0/99', '-x', '[::1]:']) {
    assert.throws(() => parseNetworkRule(rule), NetworkRuleError, rule);
  }
});
