// C++ with virtual calls, templates and the standard containers.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>
struct Node { virtual ~Node() = default; virtual long eval(long x) const = 0; };
struct Constant : Node { long value; explicit Constant(long v) : value(v) {} long eval(long) const override { return value; } };
struct Variable : Node { long eval(long x) const override { return x; } };
struct Sum : Node { std::unique_ptr<Node> a, b; Sum(std::unique_ptr<Node> l, std::unique_ptr<Node> r) : a(std::move(l)), b(std::move(r)) {} long eval(long x) const override { return a->eval(x) + b->eval(x); } };
struct Product : Node { std::unique_ptr<Node> a, b; Product(std::unique_ptr<Node> l, std::unique_ptr<Node> r) : a(std::move(l)), b(std::move(r)) {} long eval(long x) const override { return (a->eval(x) * b->eval(x)) % 1000003; } };
static std::unique_ptr<Node> build(int depth, unsigned &seed) {
  seed = seed * 1103515245 + 12345;
  if (depth == 0) return (seed >> 16) & 1 ? std::unique_ptr<Node>(std::make_unique<Variable>()) : std::make_unique<Constant>(seed >> 20);
  auto left = build(depth - 1, seed), right = build(depth - 1, seed);
  if ((seed >> 17) & 1) return std::make_unique<Sum>(std::move(left), std::move(right));
  return std::make_unique<Product>(std::move(left), std::move(right));
}
int main() {
  unsigned seed = 7;
  auto tree = build(10, seed);
  long total = 0;
  for (long x = 0; x < 360000; x++) total = (total + tree->eval(x)) % 1000003;
  std::map<std::string, int> words;
  for (int i = 0; i < 900000; i++) { seed = seed * 1103515245 + 12345; words["w" + std::to_string((seed >> 12) % 20000)]++; }
  std::vector<std::pair<int, std::string>> order;
  for (auto &[word, count] : words) order.emplace_back(count, word);
  std::sort(order.begin(), order.end());
  std::printf("%ld %d %s\n", total, order.back().first, order.back().second.c_str());
}
