from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pool

def square(n):
    return n * n

if __name__ == "__main__":
    with ThreadPoolExecutor(4) as threads:
        print(list(threads.map(square, range(10))))
    with Pool(3) as pool:
        print(pool.map(square, range(20)))
