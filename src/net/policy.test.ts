import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify, NetworkPolicy, NetworkRuleError, parseNetworkRule } from './policy.ts';

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
  assert.equal(policy.allows('1.1.1.1', 443), false);
  assert.equal(policy.mayResolve('example.org'), false);
});

test('outbound reaches public addresses only', () => {
  const policy = new NetworkPolicy({ mode: 'outbound' });
  assert.equal(policy.allows('1.1.1.1', 443), true);
  for (const address of ['10.0.0.1', '127.0.0.1', '169.254.169.254', '::ffff:169.254.169.254']) assert.equal(policy.allows(address, 80), false, address);
});

test('rules name what may be reached, and nothing else may', () => {
  const policy = new NetworkPolicy({ mode: 'outbound', allow: ['10.1.0.0/16:5432', '[fd00::1]:80', '*.example.org:443'] });
  assert.equal(policy.allows('10.1.2.3', 5432), true);
  assert.equal(policy.allows('10.1.2.3', 22), false);
  assert.equal(policy.allows('10.2.0.1', 5432), false);
  assert.equal(policy.allows('fd00::1', 80), true);
  assert.equal(policy.allows('1.1.1.1', 443), false);
  assert.equal(policy.mayResolve('www.example.org'), true);
  assert.equal(policy.mayResolve('example.com'), false);
});

test('a name opens the addresses that it led to, but never the host itself', () => {
  const policy = new NetworkPolicy({ mode: 'outbound', allow: ['db.intern:5432'] });
  assert.equal(policy.allows('10.9.9.9', 5432), false);
  policy.remember('db.intern', ['10.9.9.9', '127.0.0.1', '169.254.169.254']);
  assert.equal(policy.allows('10.9.9.9', 5432), true);
  assert.equal(policy.allows('10.9.9.9', 80), false);
  assert.equal(policy.allows('127.0.0.1', 5432), false);
  assert.equal(policy.allows('169.254.169.254', 5432), false);
  policy.remember('other.example', ['10.8.8.8']);
  assert.equal(policy.allows('10.8.8.8', 5432), false);
});

test('a range as wide as the Internet does not open the host', () => {
  const policy = new NetworkPolicy({ mode: 'outbound', allow: ['0.0.0.0/0', '127.0.0.1:8080'] });
  assert.equal(policy.allows('1.1.1.1', 80), true);
  assert.equal(policy.allows('169.254.169.254', 80), false);
  assert.equal(policy.allows('127.0.0.1', 80), false);
  assert.equal(policy.allows('127.0.0.1', 8080), true);
});

test('rules that make no sense are refused with the reason', () => {
  for (const rule of ['', ':80', 'host:0', 'host:99999', 'a b', '10.0.0.0/99', '-x', '[::1]:']) {
    assert.throws(() => parseNetworkRule(rule), NetworkRuleError, rule);
  }
});
