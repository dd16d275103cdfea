#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

struct Shape { virtual ~Shape() = default; virtual double area() const = 0; };
struct Square : Shape { double side; explicit Square(double s) : side(s) {} double area() const override { return side * side; } };
struct Circle : Shape { double r; explicit Circle(double x) : r(x) {} double area() const override { if (r < 0) throw std::domain_error("negative"); return 3.14159 * r * r; } };

int main() {
  std::vector<std::unique_ptr<Shape>> shapes;
  for (int i = 3; i >= -1; i--) { if (i % 2) shapes.push_back(std::make_unique<Circle>(i)); else shapes.push_back(std::make_unique<Square>(i)); }
  std::map<std::string, double> sums;
  for (auto &shape : shapes) {
    try { sums[dynamic_cast<Circle *>(shape.get()) ? "circle" : "square"] += shape->area(); }
    catch (const std::exception &error) { std::cout << "caught " << error.what() << "\n"; }
  }
  for (auto &[name, sum] : sums) std::cout << name << " " << sum << "\n";
}
