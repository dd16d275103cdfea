/** A small class for javac and a small program for `go build`, where Debian's packages have put them: for `bench.mjs`. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CLASS = `import java.util.*;
public class Hello {
  record Point(int x, int y) {}
  public static void main(String[] args) {
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < 10; i++) points.add(new Point(i, i * i));
    System.out.println(points.stream().mapToInt(Point::y).sum());
  }
}
`;
const PROGRAM = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello") }\n';

/**
 * Words by label. `javac` compiles the class; `go build` builds the program, whose packages are in its cache, from its own file on, and runs it.
 * Writes what they read below `directory`.
 */
export function compilerCommands(directory) {
  const java = join(directory, 'java');
  const go = join(directory, 'go');
  for (const path of [java, go]) mkdirSync(path, { recursive: true });
  writeFileSync(join(java, 'Hello.java'), CLASS);
  writeFileSync(join(go, 'main.go'), PROGRAM);
  writeFileSync(join(go, 'go.mod'), 'module hello\n\ngo 1.19\n');
  const build = `cd '${go}' && rm -f hello && echo "// $$" >> main.go && go build -buildvcs=false -o hello . && ./hello`;
  return {
    ...(existsSync('/usr/bin/javac') ? { javac: ['/usr/bin/javac', '-d', java, join(java, 'Hello.java')] } : {}),
    ...(existsSync('/usr/bin/go') ? { 'go build': ['/bin/sh', '-c', build] } : {}),
  };
}
