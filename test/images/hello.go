// A static program that asks its kernel a few things, for an image of nothing else.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
)

func main() {
	var group sync.WaitGroup
	sums := make([]int, 4)
	for worker := range sums {
		group.Add(1)
		go func(worker int) {
			defer group.Done()
			for number := 0; number < 1000; number++ {
				sums[worker] += number
			}
		}(worker)
	}
	group.Wait()
	entries, err := os.ReadDir("/")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	names := []string{}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	fmt.Println("hello from", runtime.GOOS, runtime.GOARCH, sums, os.Getuid(), os.Args[1:], names)
}
